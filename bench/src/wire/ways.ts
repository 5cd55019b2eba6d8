import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { assert } from "@heddle/base";
import { connectLane } from "@heddle/lane";
import { ParameterServerService } from "@heddle/proto/parameter-server";
import { connect } from "@heddle/rpc";
import { silentTelemetry } from "@heddle/telemetry";
import { connectBare } from "./bare.ts";
import type { Work } from "./work.ts";

/** A way of moving a step's bytes. @returns CPU seconds of both ends for that many steps. */
export type Way = (steps: number) => Promise<number>;

/** A way of another make, in processes of its own. */
export interface WirePeer {
  readonly way: Way;
  close(): Promise<void>;
}

/** What the other process says of itself. */
interface Places {
  readonly lanes: Readonly<
    Record<"unix" | "tcp", { readonly address: string; readonly token: string }>
  >;
  readonly grpc: string;
  readonly port: number;
}

const program = join(import.meta.dirname, "shard-main.ts");
const call = { timeoutMs: 60_000 };
const { pull, push } = ParameterServerService.method;

/**
 * Opens all ways of Node to one process that serves them all.
 *
 * @param socketPath where the bare unix socket may be.
 */
export async function openWays(work: Work, socketPath: string) {
  const child = fork(program, [socketPath]);
  const [places] = (await once(child, "message")) as [Places];
  const opened = new AsyncDisposableStack();
  opened.defer(() => child.disconnect());
  const cpuSeconds = async (): Promise<number> => {
    const answer = once(child, "message") as Promise<[number]>;
    child.send("usage");
    const { user, system } = process.cpuUsage();
    return (await answer)[0] + (user + system) / 1e6;
  };
  const way =
    (step: () => Promise<void>): Way =>
    async (steps) => {
      const before = await cpuSeconds();
      for (let n = 0; n < steps; n++) await step();
      return (await cpuSeconds()) - before;
    };
  const byLane = async (kind: "unix" | "tcp") => {
    const { address, token } = places.lanes[kind];
    const { signal } = new AbortController();
    const offer = { address, token: Buffer.from(token, "hex") };
    const lane = opened.use(await connectLane(offer, { signal }));
    return stepOf(
      work,
      (request, read) => lane.callReading(pull, request, call, read),
      (request) => lane.callReading(push, request, call, ({ step }) => ({ step })),
    );
  };
  const client = { telemetry: silentTelemetry(), actor: "bench" };
  const grpc = opened.use(connect(ParameterServerService, places.grpc, client));
  const unix = opened.use(await connectBare({ path: socketPath }, work));
  const tcp = opened.use(await connectBare({ host: "127.0.0.1", port: places.port }, work));
  return {
    ways: {
      "lane unix": way(await byLane("unix")),
      "lane tcp": way(await byLane("tcp")),
      grpc: way(
        stepOf(
          work,
          async (request, read) => read(await grpc.pull(request, call)),
          (request) => grpc.push(request, call),
        ),
      ),
      "bare unix": way(unix.step),
      "bare tcp": way(tcp.step),
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

interface PullOf {
  readonly step: bigint;
  readonly tables: { readonly table: string; readonly ids: Uint8Array }[];
}
interface Rows {
  readonly rows: readonly Uint8Array[];
}
interface PushOf extends PullOf {
  readonly tables: (PullOf["tables"][number] & { readonly gradients: Uint8Array })[];
}

/** A pull, and a push of what it brought; that must be what was asked for. */
function stepOf(
  { ids, values }: Work,
  pulled: (request: PullOf, read: (answer: Rows) => void) => Promise<void>,
  pushed: (request: PushOf) => Promise<{ readonly step: bigint }>,
): () => Promise<void> {
  let step = 0n;
  // Rows come out where a step would read them.
  const gradients = new Uint8Array(values.length);
  return async () => {
    step += 1n;
    await pulled({ step, tables: [{ table: "t", ids }] }, ({ rows: [rows] }) => {
      assert(rows?.length === values.length, "a pull brings a row for each id");
      gradients.set(rows);
    });
    assert(step > 1n || Buffer.compare(gradients, values) === 0, "a pull brings the shard's rows");
    const answer = await pushed({ step, tables: [{ table: "t", ids, gradients }] });
    assert(answer.step === step, "a push is answered by its step");
  };
}
