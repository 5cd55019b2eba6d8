import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "@heddle/base";
import { differenceOf, intervalOf, resample, type ScoredRows } from "./paired.ts";

const random = seededRandom(7);
const visits = 60;
const perVisit = 8;
const count = visits * perVisit;
const label = Float32Array.from({ length: count }, () => random.below(2));
const rows: ScoredRows = {
  label,
  weight: Float32Array.from({ length: count }, () => 1 + random.below(3)),
  cluster: Int32Array.from({ length: count }, (_, i) => Math.floor(i / perVisit)),
};
const noise = Array.from({ length: count }, () => random.below(6));
const good = Array.from(label, (l, i) => l * 3 + (noise[i] ?? 0));
const better = Array.from(label, (l, i) => l * 4 + (noise[i] ?? 0));

test("the AUC is the weighted share of pairs in the right order, ties half", () => {
  let [wins, pairs] = [0, 0];
  for (let p = 0; p < count; p++) {
    for (let n = 0; n < count; n++) {
      if (label[p] !== 1 || label[n] !== 0) continue;
      const pair = rows.weight[p]! * rows.weight[n]!;
      pairs += pair;
      wins += good[p]! > good[n]! ? pair : good[p] === good[n] ? pair / 2 : 0;
    }
  }
  assert.ok(Math.abs((resample(rows, { good }, 1).whole["good"] ?? 0) - wins / pairs) < 1e-12);
});

test("a score is not above itself, nor above an increasing function of itself", () => {
  const cubed = good.map((score) => score ** 3);
  const { value, low, high } = differenceOf(resample(rows, { good, cubed }, 50), "good", "cubed");
  assert.deepEqual([value, low, high], [0, 0, 0]);
});

test("the paired interval of a difference is narrower than those of its parts, and sees it", () => {
  const resampled = resample(rows, { good, better }, 400);
  const difference = differenceOf(resampled, "better", "good");
  const alone = intervalOf(resampled, "good");
  assert.ok(difference.low > 0 && difference.low < difference.value);
  assert.ok(difference.high > difference.value);
  assert.ok(difference.high - difference.low < alone.high - alone.low);
});
