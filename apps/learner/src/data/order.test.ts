import assert from "node:assert/strict";
import { test } from "node:test";
import { hash32, mix32 } from "@heddle/base";
import { trainingOrder } from "./order.ts";

/** The slow way: all rows sorted by their hash, and by their number where hashes are equal. */
function slowly(partition: string, rows: number, seed: number): number[] {
  const partitionSeed = hash32(partition, seed);
  const keyed = Array.from({ length: rows }, (_, row) => ({ row, key: mix32(partitionSeed, row) }));
  return keyed.sort((a, b) => a.key - b.key || a.row - b.row).map(({ row }) => row);
}

test("a partition's rows are trained in the order of their hashes, each once, and in another order for another seed or partition", () => {
  for (const rows of [0, 1, 2, 1_000]) {
    assert.deepEqual([...trainingOrder("a", rows, 7)], slowly("a", rows, 7));
  }
  const order = trainingOrder("a", 1_000, 7).join();
  assert.notEqual(trainingOrder("a", 1_000, 8).join(), order);
  assert.notEqual(trainingOrder("b", 1_000, 7).join(), order);
});

test("rows that are too many to be sorted as numbers come in the same order", () => {
  const rows = 2 ** 21 + 1;
  const order = trainingOrder("a", rows, 7);
  const partitionSeed = hash32("a", 7);
  const seen = new Uint8Array(rows);
  let [before, key] = [-1, -1];
  for (const row of order) {
    const next = mix32(partitionSeed, row);
    if (next < key || (next === key && row < before)) assert.fail(`row ${row} behind ${before}`);
    [before, key] = [row, next];
    seen[row] = 1;
  }
  assert.ok(seen.every((one) => one === 1));
});
