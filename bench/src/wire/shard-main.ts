/** The other end of each way, in a process of its own: answers with rows that are there, so that only moving costs. */
import type { AddressInfo, ListenOptions } from "node:net";
import { once } from "node:events";
import { openOffers } from "@heddle/lane";
import { ParameterServerService } from "@heddle/proto/parameter-server";
import { implement, serve } from "@heddle/rpc";
import { silentTelemetry } from "@heddle/telemetry";
import { serveBare } from "./bare.ts";
import { makeWork } from "./work.ts";

const work = makeWork();
const telemetry = silentTelemetry();
const never = () => Promise.reject(new Error("not called"));
const implementation = implement(ParameterServerService, {
  pull: async ({ step }) => ({ rows: [work.values], step }),
  push: async ({ step }) => ({ step }),
  ...{
    configure: never,
    freeze: never,
    snapshot: never,
    restore: never,
    rejoin: never,
    openLane: never,
    stats: never,
  },
});

const lane = async (kind: "unix" | "tcp") => {
  const offers = openOffers({ kind, implementation, methods: ["Pull", "Push"], telemetry });
  const { address, token } = await offers.offer("bench");
  return { address, token: Buffer.from(token).toString("hex") };
};
const bare = async (place: ListenOptions) => {
  const server = serveBare(work).listen(place);
  await once(server, "listening");
  return server.address() as AddressInfo;
};

const path = process.argv[2] ?? "";
const { address: grpc } = await serve({ implementations: [implementation], telemetry });
await bare({ path });
const { port } = await bare({ host: "127.0.0.1", port: 0 });
process.on("disconnect", () => process.exit(0));
process.on("message", () => {
  const { user, system } = process.cpuUsage();
  process.send?.((user + system) / 1e6);
});
process.send?.({ lanes: { unix: await lane("unix"), tcp: await lane("tcp") }, grpc, port });
