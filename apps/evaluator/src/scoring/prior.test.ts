import assert from "node:assert/strict";
import { test } from "node:test";
import { correctForVisits } from "./prior.ts";

/** Two visits: each negative of the first stands for 100 candidates, of the second for 10; positives for themselves. */
const rows = {
  weight: Float32Array.of(1, 100, 1, 10),
  cluster: Int32Array.of(0, 0, 1, 1),
  clusters: 2,
};

test("each visit's own share of negatives replaces the version's overall share", () => {
  // What the model said of sampled rows, p = 0.2, as a version that kept 1 in 20 would report it.
  const sampledOdds = 0.2 / 0.8;
  const reported = sampledOdds / 20 / (1 + sampledOdds / 20);
  const corrected = correctForVisits(Array(4).fill(reported), rows, 1 / 20);
  const truth = [100, 100, 10, 10].map((w) => sampledOdds / w / (1 + sampledOdds / w));
  corrected.forEach((p, i) => assert.ok(Math.abs(p - truth[i]!) < 1e-7, `${p} ${truth[i]}`));
});

test("rows that were not sampled stay as they are, certainty included", () => {
  const whole = { ...rows, weight: Float32Array.of(1, 1, 1, 1) };
  assert.deepEqual([...correctForVisits([0, 0.5, 0.25, 1], whole, 1)], [0, 0.5, 0.25, 1]);
});
