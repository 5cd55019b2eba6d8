import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { test } from "node:test";
import type { ServiceError } from "@grpc/grpc-js";
import { SchedulerService } from "@heddle/proto/scheduler";
import { silentTelemetry } from "@heddle/telemetry";
import { startTcpProxy } from "@heddle/testkit";
import { type CallContext, implement, serve } from "../../index.ts";
import { definitionOf } from "../../method.ts";
import { openChannel } from "./channel.ts";

const keepalive = { quietMs: 500, answerMs: 500 };

/** A network that can be told to carry nothing any more, which neither end hears of. */
async function startNetwork(target: string) {
  const sockets: Socket[] = [];
  const proxy = await startTcpProxy(new URL(`tcp://${target}`), (client, upstream) => {
    sockets.push(client, upstream);
    client.pipe(upstream).pipe(client);
  });
  return {
    address: `127.0.0.1:${proxy.port}`,
    silence: () => {
      for (const socket of sockets) socket.unpipe().pause();
    },
    [Symbol.asyncDispose]: proxy[Symbol.asyncDispose],
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
  network.silence();
  assert.match((await failed)?.message ?? "", /UNAVAILABLE/);
  await cancelled.promise;
  client.close();
});
