import assert from "node:assert/strict";
import { test } from "node:test";
import { compared, measured, median } from "./summarise.ts";

test("the median of an even number of rounds lies between the middle two", () => {
  assert.equal(median([4, 1, 3, 2]), 2.5);
});

test("a measure's interval holds its median and lies within its values", () => {
  const row = measured("speed", "examples/s", [9, 10, 11, 10, 12]);
  assert.equal(row.value, 10);
  assert.ok(row.low >= 9 && row.low <= 10 && row.high >= 10 && row.high <= 12);
});

test("a goal holds only when the whole interval reaches it", () => {
  const peer = { name: "peer", values: [10, 10, 10, 10] };
  const verdict = (values: number[]) =>
    compared("speed", "x", values, peer, { atLeast: 1 }).verdict;
  assert.equal(verdict([12, 13, 12, 14]), "holds");
  assert.equal(verdict([8, 7, 8, 9]), "missed");
  assert.equal(verdict([8, 12, 9, 13]), "not enough runs");
});

test("two rounds are never enough to judge", () => {
  const row = compared("speed", "x", [20, 20], { name: "peer", values: [10, 10] }, { atLeast: 1 });
  assert.equal(row.verdict, "not enough runs");
  assert.equal(row.ratio, 2);
});
