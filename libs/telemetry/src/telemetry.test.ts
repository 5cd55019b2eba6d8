import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
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
