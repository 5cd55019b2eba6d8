import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import type { DescService } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { HeddleError } from "@heddle/base";
import { EvaluatorService } from "@heddle/proto/evaluator";
import { FeatureStoreService } from "@heddle/proto/feature-store";
import { ServerReflection } from "@heddle/proto/reflection";
import { RegistryService } from "@heddle/proto/registry";
import { SchedulerService } from "@heddle/proto/scheduler";
import { silentTelemetry } from "@heddle/telemetry";
import {
  type CallContext,
  connect,
  type Handlers,
  implementSome,
  messageBytesMax,
  serve,
} from "./index.ts";

const telemetry = silentTelemetry();
const actor = "test";

/** Serves a service of which only the given methods are called. */
const serving = <S extends DescService>(service: S, some: Partial<Handlers<S, CallContext>>) =>
  serve({ implementations: [implementSome(service, some)], telemetry });

test("an error of a handler reaches the caller whole", async () => {
  await using server = await serving(RegistryService, {
    getRun: () =>
      Promise.reject(
        new HeddleError("NOT_FOUND", "UNKNOWN_RUN", "no run abc", { metadata: { run: "abc" } }),
      ),
  });
  await using registry = connect(RegistryService, server.address, { telemetry, actor });
  await assert.rejects(registry.getRun({ run: "abc" }, { timeoutMs: 5_000 }), {
    code: "NOT_FOUND",
    reason: "UNKNOWN_RUN",
    message: "no run abc",
    metadata: { run: "abc" },
  });
});

test("what is not a HeddleError becomes INTERNAL and keeps its details to itself", async () => {
  await using server = await serving(RegistryService, {
    getRun: () => Promise.reject(new Error("password is hunter2")),
  });
  await using registry = connect(RegistryService, server.address, { telemetry, actor });
  await assert.rejects(
    registry.getRun({ run: "a" }, { timeoutMs: 5_000 }),
    (error: HeddleError) => {
      assert.equal(error.code, "INTERNAL");
      assert.doesNotMatch(error.message, /hunter2/);
      return true;
    },
  );
});

test("a message too long for a trailer, or cut within a character, reaches the caller short, and the server stays", async () => {
  const messages = ["x".repeat(100_000), "no \ud835", `${"x".repeat(1_999)}𝕏 and more`];
  await using server = await serving(RegistryService, {
    getRun: ({ run }: { run: string }) => {
      const message = messages[Number(run)] ?? "";
      const metadata = { run: message };
      return Promise.reject(new HeddleError("NOT_FOUND", "UNKNOWN_RUN", message, { metadata }));
    },
  });
  await using registry = connect(RegistryService, server.address, { telemetry, actor });
  const expected = [/^x{2000}… \(100000 bytes\)$/, /^no \ufffd$/, /^x{1999}\ufffd… \(\d+ bytes\)$/];
  for (const [run, message] of expected.entries()) {
    const asked = registry.getRun({ run: String(run) }, { timeoutMs: 5_000 });
    await assert.rejects(asked, { reason: "UNKNOWN_RUN", message });
  }
});

test("a message above the limit is refused by name, on its way there and on its way back", async () => {
  const long = "x".repeat(messageBytesMax);
  await using server = await serving(RegistryService, {
    getRun: () => assert.fail("it came through"),
    getConfiguration: async () => ({ definitionJson: long }),
  });
  await using registry = connect(RegistryService, server.address, { telemetry, actor });
  for (const asked of [
    registry.getRun({ run: long }, { timeoutMs: 5_000 }),
    registry.getConfiguration({ configuration: "c" }, { timeoutMs: 5_000 }),
  ]) {
    await assert.rejects(asked, {
      code: "RESOURCE_EXHAUSTED",
      reason: "MESSAGE_TOO_LARGE",
      message: /127\.0\.0\.1:\d+: .*larger than.*16777216.*a smaller batchSize, or more shards/,
    });
  }
});

test("bytes that are no message of the method are refused by name, also in a stream", async () => {
  const taken = async (chunks: AsyncIterable<unknown>) => {
    for await (const _ of chunks);
    return {};
  };
  await using server = await serving(FeatureStoreService, {
    ingest: taken,
    getDataset: async () => ({}),
  });
  const client = new grpc.Client(server.address, grpc.credentials.createInsecure());
  const asIs = (bytes: Buffer): Buffer => bytes;
  for (const method of ["GetDataset", "Ingest"]) {
    const path = `/${FeatureStoreService.typeName}/${method}`;
    const error = await new Promise<grpc.ServiceError | null>((resolve) => {
      if (method === "GetDataset") {
        client.makeUnaryRequest(path, asIs, asIs, Buffer.from([0xff]), resolve);
      } else client.makeClientStreamRequest(path, asIs, asIs, resolve).end(Buffer.from([0xff]));
    });
    assert.equal(error?.code, grpc.status.INVALID_ARGUMENT);
    assert.deepEqual(error.metadata.get("heddle-reason"), ["MESSAGE_MALFORMED"]);
    assert.match(error.details, new RegExp(`${method}: the bytes are no heddle.*Request`));
  }
  client.close();
});

test("the handler knows who calls and aborts when the caller's deadline passes", async () => {
  const seen: string[] = [];
  const aborted = Promise.withResolvers<void>();
  await using server = await serving(RegistryService, {
    getRun: (_request: unknown, context: CallContext) => {
      seen.push(context.actor);
      context.signal.addEventListener("abort", () => aborted.resolve());
      return new Promise(() => undefined);
    },
  });
  await using registry = connect(RegistryService, server.address, { telemetry, actor: "ana" });
  await assert.rejects(registry.getRun({ run: "a" }, { timeoutMs: 1_000 }), {
    code: "DEADLINE_EXCEEDED",
  });
  await aborted.promise;
  assert.deepEqual(seen, ["ana"]);
});

test("calls that are answered leave nothing on their caller's signal", async () => {
  await using server = await serving(RegistryService, { getRun: () => Promise.resolve({}) });
  await using registry = connect(RegistryService, server.address, { telemetry, actor });
  const { signal } = new AbortController();
  const call = { timeoutMs: 5_000, signal };
  for (let n = 0; n < 3; n++) await registry.getRun({ run: "a" }, call);
  assert.equal(getEventListeners(signal, "abort").length, 0);
});

test("a server that closes ends the calls that do not end in time", async () => {
  const [begun, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const getRun = (_request: unknown, { signal }: CallContext): Promise<never> => {
    signal.addEventListener("abort", () => ended.resolve());
    begun.resolve();
    return new Promise(() => undefined);
  };
  const implementations = [implementSome(RegistryService, { getRun })];
  const server = await serve({ implementations, telemetry, drainMs: 20 });
  await using registry = connect(RegistryService, server.address, { telemetry, actor });
  const stop = new AbortController();
  const call = { timeoutMs: 10_000, signal: stop.signal };
  const asked = assert.rejects(registry.getRun({ run: "a" }, call));
  await begun.promise;
  await server[Symbol.asyncDispose]();
  const late = new Promise((resolve) => setTimeout(resolve, 2_000, "late"));
  assert.equal(await Promise.race([ended.promise, late]), undefined);
  stop.abort();
  await asked;
});

test("a server stream ends when its reader stops, and the handler is told", async () => {
  const aborted = Promise.withResolvers<void>();
  await using server = await serving(SchedulerService, {
    watchPipelineRun: async function* (_request: unknown, context: CallContext) {
      context.signal.addEventListener("abort", () => aborted.resolve());
      for (let n = 1n; ; n++) {
        yield { run: { revision: n } };
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    },
  });
  await using scheduler = connect(SchedulerService, server.address, { telemetry, actor });
  const revisions: bigint[] = [];
  const options = { timeoutMs: 5_000 };
  for await (const { run } of scheduler.watchPipelineRun({ pipelineRun: "a" }, options)) {
    revisions.push(run?.revision ?? 0n);
    if (revisions.length === 3) break;
  }
  assert.deepEqual(revisions, [1n, 2n, 3n]);
  await aborted.promise;
});

test("a client stream of chunks arrives whole and in order", async () => {
  await using server = await serving(FeatureStoreService, {
    ingest: async (requests: AsyncIterable<{ chunk: Uint8Array }>) => {
      let events = 0n;
      for await (const { chunk } of requests) events = events * 10n + BigInt(chunk[0] ?? 0);
      return { events };
    },
  });
  await using store = connect(FeatureStoreService, server.address, { telemetry, actor });
  async function* chunks() {
    for (const digit of [1, 2, 3]) yield { chunk: Uint8Array.of(digit) };
    await Promise.resolve();
  }
  const { events } = await store.ingest(chunks(), { timeoutMs: 5_000 });
  assert.equal(events, 123n);
});

test("when the requests of a stream cannot be had, the caller hears why", async () => {
  await using server = await serving(FeatureStoreService, {
    ingest: async (requests: AsyncIterable<unknown>) => {
      for await (const _ of requests);
      return {};
    },
  });
  const gone = new Error("EIO: the file cannot be read");
  async function* chunks() {
    yield { chunk: Uint8Array.of(1) };
    await Promise.resolve();
    throw gone;
  }
  await using store = connect(FeatureStoreService, server.address, { telemetry, actor });
  const sent = store.ingest(chunks(), { timeoutMs: 5_000 });
  await assert.rejects(sent, (error) => error === gone);
  async function* questions() {
    yield { messageRequest: { case: "listServices" as const, value: "" } };
    await Promise.resolve();
    throw gone;
  }
  await using reflection = connect(ServerReflection, server.address, { telemetry, actor });
  const answers = reflection.serverReflectionInfo(questions(), { timeoutMs: 5_000 });
  await assert.rejects(Array.fromAsync(answers), (error) => error === gone);
});

test("a call to a server that starts late is retried inside its deadline", async () => {
  const first = await serving(RegistryService, { getRun: () => Promise.resolve({}) });
  const { address } = first;
  await first[Symbol.asyncDispose]();
  await using registry = connect(RegistryService, address, { telemetry, actor });
  const answer = registry.getRun({ run: "a" }, { timeoutMs: 10_000 });
  await using _server = await serve({
    address,
    implementations: [implementSome(RegistryService, { getRun: () => Promise.resolve({}) })],
    telemetry,
  });
  assert.equal((await answer).run, undefined);
});

test("a port in use is named with the remedy", async () => {
  await using server = await serve({ implementations: [], telemetry });
  await assert.rejects(serve({ address: server.address, implementations: [], telemetry }), {
    reason: "PORT_IN_USE",
    message: new RegExp(`cannot listen on ${server.address}.*choose another port`),
  });
});

test("a call to the address of another service is told so", async () => {
  await using registry = await serving(RegistryService, {});
  await using evaluator = connect(EvaluatorService, registry.address, { telemetry, actor });
  await assert.rejects(evaluator.gate({ requestId: "g" }, { timeoutMs: 5_000 }), {
    reason: "RPC_UNIMPLEMENTED",
    message: new RegExp(`EvaluatorService/Gate at ${registry.address}: .*another service listens`),
  });
});

test("an address to listen on that has no port is refused", async () => {
  for (const address of ["127.0.0.1", "http://127.0.0.1:0"]) {
    await assert.rejects(serve({ address, implementations: [], telemetry }), {
      reason: "ADDRESS_INVALID",
      message: /cannot listen on "[^"]+": write host:port/,
    });
  }
});
