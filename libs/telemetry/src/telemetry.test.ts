import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Server, ServerCredentials, type ServiceDefinition } from "@grpc/grpc-js";
import { temporaryFolder } from "@heddle/testkit";
import {
  type SpanLine,
  startTelemetry,
  telemetryPlace,
  telemetryVariables,
  unkeptTraceparent,
} from "./index.ts";

test("spans of one trace nest across awaits and across processes by traceparent", async () => {
  const folder = mkdtempSync(join(tmpdir(), "heddle-telemetry-"));
  try {
    {
      await using telemetry = await startTelemetry({ service: "a", folder, logLevel: "silent" });
      const inner = await telemetry.span("outer", { attributes: { week: 49 } }, async () => {
        await Promise.resolve();
        return telemetry.span("inner", {}, () => Promise.resolve(telemetry.traceparent()));
      });
      const remote = telemetry.span("remote", { parent: inner ?? "" }, () =>
        Promise.reject(new Error("broke")),
      );
      await assert.rejects(remote, /broke/);
      telemetry.counter("examples", "{example}", "Examples trained.").add(3);
    }
    const lines = (kind: string): string[] =>
      readdirSync(folder)
        .filter((file) => file.startsWith(kind))
        .flatMap((file) => readFileSync(join(folder, file), "utf8").trim().split("\n"));
    const spans = lines("spans").map((line) => JSON.parse(line) as SpanLine);
    const [outer, inner, remote] = ["outer", "inner", "remote"].map((name) =>
      spans.find((span) => span.name === name),
    );
    assert.equal(new Set(spans.map((span) => span.traceId)).size, 1);
    assert.equal(outer?.parentSpanId, "");
    assert.equal(inner?.parentSpanId, outer?.spanId);
    assert.equal(remote?.parentSpanId, inner?.spanId);
    assert.equal(remote?.error, "broke");
    assert.deepEqual(outer?.attributes, { week: 49 });
    assert.match(lines("metrics").join(), /"name":"examples".*"value":3/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a link names a span of another trace; nothing is recorded outside of spans or in traces that are not kept", async () => {
  using folder = temporaryFolder("telemetry");
  {
    const place = { folder: folder.path, logLevel: "silent" };
    await using telemetry = await startTelemetry({ service: "a", ...place });
    await using seldom = await startTelemetry({ service: "b", ...place, traceShare: 0 });
    assert.equal(telemetry.recording(), false);
    const cause = await telemetry.span("cause", {}, async () => telemetry.traceparent() ?? "");
    await telemetry.span("effect", { kind: "consumer" }, async () => {
      telemetry.link(cause);
      telemetry.link("no traceparent");
      assert.equal(telemetry.recording(), true);
    });
    const unkept = await seldom.span("unkept", {}, async () => {
      assert.equal(seldom.recording(), false);
      return seldom.traceparent() ?? "";
    });
    assert.match(unkept, /-00$/);
    // What one process does not keep, those that it calls do not keep either; nor what a loop asks to be forgotten.
    for (const parent of [unkept, unkeptTraceparent()]) {
      await telemetry.span("called", { parent }, async () => {
        assert.equal(telemetry.recording(), false);
        assert.equal(telemetry.traceparent()?.split("-")[1], parent.split("-")[1]);
        await telemetry.span("inner", {}, async () => assert.equal(telemetry.recording(), false));
      });
    }
  }
  const spans = readdirSync(folder.path)
    .filter((file) => file.startsWith("spans"))
    .flatMap((file) => readFileSync(folder.file(file), "utf8").trim().split("\n"))
    .map((line) => JSON.parse(line) as SpanLine);
  assert.deepEqual(
    spans.map(({ name }) => name),
    ["cause", "effect"],
  );
  const [cause, effect] = spans;
  assert.notEqual(cause?.traceId, effect?.traceId);
  assert.deepEqual(effect?.links, [{ traceId: cause?.traceId, spanId: cause?.spanId }]);
});

test("a line of the log within a span names its trace", async () => {
  using folder = temporaryFolder("telemetry");
  const logFile = folder.file("log");
  await using telemetry = await startTelemetry({ service: "a", folder: folder.path, logFile });
  telemetry.log.info({}, "outside");
  const traceId = await telemetry.span("work", {}, async () => {
    telemetry.log.info({ fact: 1 }, "within");
    return telemetry.traceparent()?.split("-")[1];
  });
  const [outside, within] = readFileSync(logFile, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.equal(outside?.["traceId"], undefined);
  assert.deepEqual(
    [within?.["traceId"], within?.["fact"], within?.["msg"]],
    [traceId, 1, "within"],
  );
});

test("variables say where telemetry goes, and what is no number is refused by its name", () => {
  const place = { folder: "f", otlpEndpoint: "http://o", traceShare: 0.25, traceEverySteps: 7 };
  assert.deepEqual(telemetryPlace(telemetryVariables(place)), place);
  assert.deepEqual(telemetryPlace({ HEDDLE_TRACE_SHARE: "" }), {});
  const variables = ["HEDDLE_TRACE_SHARE", "HEDDLE_TRACE_EVERY_STEPS", "HEDDLE_OTLP_ENDPOINT"];
  for (const variable of variables) {
    for (const text of ["-1", "much"]) {
      assert.throws(() => telemetryPlace({ [variable]: text }), {
        reason: "TELEMETRY_INVALID",
        message: new RegExp(variable),
      });
    }
  }
});

test("with an endpoint, spans and metrics both go to the collector, each service's under its own name", async () => {
  const received = new Map<string, Buffer>();
  const names: string[] = [];
  const server = new Server();
  for (const kind of ["trace", "metrics"]) {
    const service = kind === "trace" ? "TraceService" : "MetricsService";
    const raw = (bytes: Buffer): Buffer => bytes;
    const path = `/opentelemetry.proto.collector.${kind}.v1.${service}/Export`;
    const codec = { requestSerialize: raw, requestDeserialize: raw };
    const answer = { responseSerialize: raw, responseDeserialize: raw };
    const method = { path, requestStream: false, responseStream: false, ...codec, ...answer };
    server.addService({ Export: method } satisfies ServiceDefinition, {
      Export: ({ request }: { request: Buffer }, done: (error: null, reply: Buffer) => void) => {
        received.set(kind, Buffer.concat([received.get(kind) ?? Buffer.alloc(0), request]));
        if (kind === "trace") {
          names.push(...(request.toString("latin1").match(/service-[bc]|[bc]'s span/g) ?? []));
        }
        done(null, Buffer.alloc(0));
      },
    });
  }
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  try {
    const otlpEndpoint = `http://127.0.0.1:${port}`;
    {
      const place = { otlpEndpoint, logLevel: "silent" };
      await using telemetry = await startTelemetry({ service: "service-b", ...place });
      await using other = await startTelemetry({ service: "service-c", ...place });
      await telemetry.span("b's span", {}, () => Promise.resolve());
      await other.span("c's span", {}, () => Promise.resolve());
      telemetry.counter("collected_examples", "{example}", "Examples trained.").add(3);
    }
    // Each export names the service once, before its spans.
    const pairs = [names.slice(0, 2), names.slice(2)].sort();
    assert.deepEqual(pairs, [
      ["service-b", "b's span"],
      ["service-c", "c's span"],
    ]);
    assert.ok(received.get("metrics")?.includes("collected_examples"));
    assert.ok(received.get("metrics")?.includes("service.name"));
  } finally {
    server.forceShutdown();
  }
});

test("a collector that is away or silent fails nothing, and holds up an end for seconds at most", async () => {
  const callers: Socket[] = [];
  const silent = createServer((caller) => void callers.push(caller)).listen(0, "127.0.0.1");
  await once(silent, "listening");
  const { port } = silent.address() as AddressInfo;
  try {
    for (const otlpEndpoint of ["http://127.0.0.1:1", `http://127.0.0.1:${port}`]) {
      const place = { otlpEndpoint, logLevel: "silent" };
      const telemetry = await startTelemetry({ service: "a", ...place });
      assert.equal(await telemetry.span("kept", {}, () => Promise.resolve(7)), 7);
      const began = performance.now();
      await telemetry[Symbol.asyncDispose]();
      assert.ok(performance.now() - began < 6_000);
    }
  } finally {
    silent.close();
    for (const caller of callers) caller.destroy();
  }
});
