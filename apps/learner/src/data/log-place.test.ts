import assert from "node:assert/strict";
import { test } from "node:test";
import { checkContinues, logPlaces } from "./log-place.ts";
import type { TrainingPartition } from "./reader.ts";

const window = (topic: string, ...ends: readonly (readonly [from: number, to: number])[]) => {
  const log = ends.map(([from, to], partition) => ({ topic, partition, from, to }));
  return { partition: `${topic} ${ends.join(" ")}`, log } as unknown as TrainingPartition;
};
const gap = { code: "FAILED_PRECONDITION", reason: "LOG_GAP" };

test("windows that follow one another have a place before and behind each", () => {
  const places = logPlaces([window("t", [2, 5], [0, 0]), window("t", [5, 9], [0, 4])]);
  const at = (partition: number) => places?.at({ partition, batch: 0 }).offsets;
  assert.deepEqual(
    [at(0), at(1), at(2)],
    [
      [2, 0],
      [5, 0],
      [9, 4],
    ],
  );
  assert.deepEqual(
    places?.ranges.map(({ from, to }) => [from, to]),
    [
      [2, 9],
      [0, 4],
    ],
  );
  assert.equal(logPlaces([]), undefined);
});

test("a window that leaves events out, takes some twice, or is of another topic is refused", () => {
  const first = window("t", [0, 5], [0, 3]);
  for (const next of [
    window("t", [6, 9], [3, 4]),
    window("t", [5, 9], [2, 4]),
    window("other", [5, 9], [3, 4]),
  ]) {
    assert.throws(() => logPlaces([first, next]), gap);
  }
});

test("what continues a version begins where that one ended, if both are of one topic", () => {
  const places = logPlaces([window("t", [5, 9])]);
  checkContinues(places, { topic: "t", offsets: [5] }, "v");
  checkContinues(places, { topic: "other", offsets: [1] }, "v");
  checkContinues(places, undefined, "v");
  for (const offset of [4, 6]) {
    assert.throws(() => checkContinues(places, { topic: "t", offsets: [offset] }, "v"), gap);
  }
});

test("partitions that a topic gets later join at their first record", () => {
  const later = window("t", [5, 7], [0, 2], [0, 3]);
  const places = logPlaces([window("t", [2, 5]), later]);
  assert.deepEqual(
    places?.ranges.map(({ partition, from, to }) => [partition, from, to]),
    [
      [0, 2, 7],
      [1, 0, 2],
      [2, 0, 3],
    ],
  );
  checkContinues(logPlaces([later]), { topic: "t", offsets: [5] }, "v");
  assert.throws(() => logPlaces([window("t", [2, 5]), window("t", [5, 7], [1, 2])]), gap);
});
