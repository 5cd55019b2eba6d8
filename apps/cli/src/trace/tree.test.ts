import assert from "node:assert/strict";
import { test } from "node:test";
import type { Palette } from "../output/style.ts";
import type { SpanNode } from "./read.ts";
import { tracesText } from "./tree.ts";

const same = (text: string): string => text;
const plain: Palette = { good: same, bad: same, doubt: same, strong: same, faint: same };
let spans = 0;

function span(name: string, more: Partial<SpanNode> = {}): SpanNode {
  const spanId = String((spans += 1)).padStart(16, "0");
  const times = { startUs: 1_000_000 * spans, endUs: 1_000_000 * (spans + 1) };
  const own = { traceId: "a".repeat(32), spanId, parentSpanId: "", service: "registry", name };
  return { ...own, ...times, attributes: {}, children: [], ...more };
}

test("calls of a port are one line below a span, calls of services each their own, and linked traces follow", () => {
  const lmdb = { attributes: { "db.system.name": "lmdb" } };
  const register = span("heddle.registry.v1.RegistryService/RegisterVersion", {
    children: [
      span("get runs", lmdb),
      span("put runs", { ...lmdb, error: "the disk is full" }),
      span("object head", { attributes: { "heddle.objects": "s3" } }),
      span("heddle.feature_store.v1.FeatureStoreService/GetDataset"),
    ],
  });
  const ingest = { ...span("heddle.feature_store.v1.FeatureStoreService/Ingest"), startUs: 0 };
  const linked = [{ traceId: "b".repeat(32), roots: [ingest] }];
  const own = { traceId: register.traceId, roots: [register] };
  const lines = tracesText(own, linked, plain).split("\n");
  const shown = lines.map((line) => line.replace(/[ ▬]{4,}.*/, ""));
  assert.deepEqual(shown.slice(0, 4), [
    "Registry/RegisterVersion",
    "  documents in lmdb ×2",
    "  objects in s3",
    "  FeatureStore/GetDataset",
  ]);
  assert.match(lines[1] ?? "", /✗ the disk is full/);
  assert.match(
    lines.slice(4).join("\n"),
    /led to by 1 other trace.*\nFeatureStore\/Ingest .*b{32}/s,
  );
});
