import assert from "node:assert/strict";
import { test } from "node:test";
import { type Candidate, chooseSize, spreadOf } from "./choose.ts";

const size = (
  batchSize: number,
  verdict: Candidate["verdict"],
  throughput?: number,
): Candidate => ({
  ...{ batchSize, verdict },
  ...(throughput !== undefined && { throughput: spreadOf([throughput]) }),
});

test("the smallest size near the best throughput is chosen, of those that cost no quality", () => {
  const sizes = [
    size(256, "as-good", 50),
    size(512, "baseline", 80),
    size(1_024, "as-good", 96),
    size(2_048, "as-good", 100),
    size(4_096, "unclear", 150),
    size(8_192, "worse", 200),
    size(16_384, "diverged"),
  ];
  assert.equal(chooseSize(sizes, 0.05), 1_024);
  assert.equal(chooseSize(sizes, 0.01), 2_048);
  assert.equal(chooseSize(sizes, 0.25), 512);
});

test("where every other size costs quality the definition's own stays, however slow", () => {
  assert.equal(chooseSize([size(256, "baseline", 1), size(512, "worse", 9)], 0.05), 256);
});

test("a spread is the median with the lowest and the highest", () => {
  assert.deepEqual(spreadOf([3, 1, 2]), { value: 2, low: 1, high: 3 });
  assert.deepEqual(spreadOf([4, 1]), { value: 2.5, low: 1, high: 4 });
});
