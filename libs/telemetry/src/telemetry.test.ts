import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Server, ServerCredentials, type ServiceDefinition } from "@grpc/grpc-js";
import { type SpanLine, startTelemetry } from "./index.ts";

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

test("with an endpoint, spans and metrics both go to the collector", async () => {
  const received = new Map<string, Buffer>();
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
        received.set(kind, request);
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
      await using telemetry = await startTelemetry({
        service: "b",
        otlpEndpoint,
        logLevel: "silent",
      });
      await telemetry.span("collected span", {}, () => Promise.resolve());
      telemetry.counter("collected_examples", "{example}", "Examples trained.").add(3);
    }
    assert.ok(received.get("trace")?.includes("collected span"));
    assert.ok(received.get("metrics")?.includes("collected_examples"));
    assert.ok(received.get("metrics")?.includes("service.name"));
  } finally {
    server.forceShutdown();
  }
});
