import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect as connectTo, createServer, type Socket } from "node:net";
import { test } from "node:test";
import type { ServiceError } from "@grpc/grpc-js";
import { SchedulerService } from "@heddle/proto/scheduler";
import { silentTelemetry } from "@heddle/telemetry";
import { type CallContext, implement, serve } from "../index.ts";
import { definitionOf } from "../method.ts";
import { openChannel } from "./channel.ts";

const keepalive = { quietMs: 100, answerMs: 100 };

/** A network that can be told to carry nothing any more, which neither end hears of. */
async function startNetwork(target: string) {
  const [host = "", port = ""] = target.split(":");
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connectTo(Number(port), host);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.pipe(to);
      from.on("error", () => undefined);
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut: () => {
      for (const socket of sockets) socket.unpipe().pause();
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

test("when nothing comes through any more, client and server know without waiting for the deadline", async () => {
  const begun = Promise.withResolvers<void>();
  const cancelled = Promise.withResolvers<void>();
  const handlers = Object.fromEntries(
    SchedulerService.methods.map(({ localName }) => [
      localName,
      (_request: unknown, { signal }: CallContext) => {
        signal.addEventListener("abort", () => cancelled.resolve());
        begun.resolve();
        return new Promise(() => undefined);
      },
    ]),
  );
  await using server = await serve({
    implementations: [implement(SchedulerService, handlers as never)],
    telemetry: silentTelemetry(),
    keepalive,
  });
  await using network = await startNetwork(server.address);
  const { client } = openChannel(network.address, keepalive);
  const { path, requestSerialize, responseDeserialize } = definitionOf(
    SchedulerService.method.getPipeline,
  );
  const failed = new Promise<ServiceError | null>((resolve) => {
    const options = { deadline: Date.now() + 60_000 };
    const codec = [path, requestSerialize, responseDeserialize] as const;
    client.makeUnaryRequest(...codec, {}, options, (error) => resolve(error));
  });
  await begun.promise;
  network.cut();
  assert.match((await failed)?.message ?? "", /UNAVAILABLE/);
  await cancelled.promise;
  client.close();
});
