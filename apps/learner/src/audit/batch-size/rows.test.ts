import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "@heddle/base";
import { localExamples } from "../../data/examples.ts";
import type { TrainingBatch } from "../../data/rows.ts";
import { memoryReader, partitionRows, tinyDefinition } from "../../fixtures/data.ts";
import { startStages } from "../../meters/stages.ts";
import { cutBatches, readRows, rowsOf, splitRows } from "./rows.ts";

const { signal } = new AbortController();
const partitions = Object.entries(partitionRows).map(([partition, rows]) => ({
  ...{ partition, rows },
  ...{ object: "", sha256: "" },
}));

async function open(batchSize: number) {
  const { inputs, training } = tinyDefinition();
  const examples = localExamples(memoryReader(), partitions);
  const plan = { inputs, fit: await examples.fit(inputs, signal), batchSize, seed: training.seed };
  return examples.batches(plan, { partition: 0, batch: 0 }, startStages(systemClock));
}

test("batches of any size cut from rows that were read with another are those of a training", async () => {
  const rows = await readRows(await open(7), Infinity, signal);
  const source = await open(16);
  const expected: TrainingBatch[] = [];
  for (let batch = await source.next(signal); batch; batch = await source.next(signal)) {
    expected.push(batch);
  }
  assert.deepEqual([...cutBatches(rows, 16)], expected);
});

test("what is held out is the same rows, whatever size they were read with", async () => {
  const splits = await Promise.all(
    [7, 16, 64].map(async (size) => splitRows(await readRows(await open(size), 100, signal), 80)),
  );
  const [first] = splits;
  const batches = (split: typeof first) => [...cutBatches(split?.heldOut ?? [], 8)];
  for (const split of splits) assert.deepEqual(batches(split), batches(first));
  const { trained = [], heldOut = [] } = first ?? {};
  assert.deepEqual([rowsOf(trained), rowsOf(heldOut)], [80, 20]);
  // 50 rows of the first partition, 50 of the second: the cut lies within it.
  assert.deepEqual(
    [...trained, ...heldOut].map(({ index, rows }) => [index, rows]),
    [
      [0, 50],
      [1, 30],
      [1, 20],
    ],
  );
});
