import assert from "node:assert/strict";
import { test } from "node:test";
import { fitOn } from "./fit.ts";
import { memoryReader, partitionRows, tinyDefinition } from "../fixtures/data.ts";
import { goldenRows } from "./golden.ts";
import { trainingOrder } from "./order.ts";
import type { ExampleReader } from "./reader.ts";

const { signal } = new AbortController();
const partitions = Object.entries(partitionRows).map(([partition, rows]) => ({
  partition,
  rows,
  object: partition,
  sha256: "",
}));

test("a partition's training order holds each row once and depends on seed and partition alone", () => {
  const order = trainingOrder("49", 1_000, 7);
  assert.deepEqual(
    order.slice().sort(),
    new Uint32Array(1_000).map((_, i) => i),
  );
  assert.deepEqual(trainingOrder("49", 1_000, 7), order);
  assert.notDeepEqual(trainingOrder("50", 1_000, 7), order);
  assert.notDeepEqual(trainingOrder("49", 1_000, 8), order);
});

test("golden rows do not depend on how the reader cuts the partition", async () => {
  const features = ["item", "price", "user"];
  const whole = await goldenRows(memoryReader(10_000), partitions, features, 5, signal);
  assert.equal(whole.rows, 16);
  for (const piece of [1, 7, 19]) {
    assert.deepEqual(await goldenRows(memoryReader(piece), partitions, features, 5, signal), whole);
  }
});

test("a plan that fits nothing needs no pass over the rows", async () => {
  const { inputs } = tinyDefinition();
  const unread = { read: () => assert.fail("nothing is to be read") };
  const plain = inputs.filter(({ kind }) => kind === "embedding");
  const nothing = await fitOn(plain, unread, partitions, signal);
  assert.deepEqual(nothing, { standardise: {}, quantile: {} });
  const asked = new Set<string>();
  const { read } = memoryReader();
  const watched: ExampleReader = {
    read: (partition, features) => {
      for (const feature of features) asked.add(feature);
      return read(partition, features);
    },
  };
  const fitted = await fitOn(inputs, watched, partitions, signal);
  assert.equal(Object.keys(fitted.standardise).length, 1);
  assert.deepEqual([...asked], ["price"]);
});
