import assert from "node:assert/strict";
import { test } from "node:test";
import type { ExampleBatch } from "@heddle/transform";
import { gatherRows } from "./example-rows.ts";

const batchOf = (...visit: number[]): ExampleBatch => ({
  rows: visit.length,
  visit: Int32Array.from(visit),
  exampleTimeMs: new Float64Array(visit.length),
  label: new Float32Array(visit.length),
  weight: new Float32Array(visit.length).fill(1),
  features: {},
});
const scoresOf = ({ rows }: ExampleBatch) => ({
  candidate: new Float32Array(rows),
  fallback: new Float64Array(rows),
});

test("rows of one visit are a cluster, over batches but not over partitions", () => {
  const gathered = gatherRows(6, [], false);
  const add = (batch: ExampleBatch): void => gathered.add(batch, scoresOf(batch));
  gathered.startPartition();
  add(batchOf(0, 0, 1));
  add(batchOf(1));
  gathered.startPartition();
  assert.throws(() => gathered.rows(), { code: "DATA_LOSS", reason: "DATASET_DIFFERS" });
  add(batchOf(0, 1));
  const { cluster, clusters } = gathered.rows();
  assert.deepEqual([[...cluster], clusters], [[0, 0, 1, 1, 2, 3], 4]);
  assert.throws(() => add(batchOf(2)), { code: "DATA_LOSS", reason: "DATASET_DIFFERS" });
});
