import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { aucStatistic, orderByScore, type ScoredColumns } from "./auc.ts";

const seed = Number(process.env["HEDDLE_SEED"] ?? 1);

/** Every pair of a positive and a negative, in float64. */
function slowAuc({ score, label, weight, cluster }: ScoredColumns, copies: Uint8Array): number {
  let [wins, pairs] = [0, 0];
  for (let p = 0; p < score.length; p++) {
    for (let n = 0; n < score.length; n++) {
      if (label[p] !== 1 || label[n] !== 0) continue;
      const times = copies[cluster[p]!]! * copies[cluster[n]!]! * weight[p]! * weight[n]!;
      pairs += times;
      wins += times * (score[p]! > score[n]! ? 1 : score[p] === score[n] ? 0.5 : 0);
    }
  }
  return wins / pairs;
}

const clusters = 5;
const row = fc.record({
  score: fc.integer({ min: 0, max: 6 }),
  label: fc.integer({ min: 0, max: 1 }),
  weight: fc.integer({ min: 1, max: 120 }),
  cluster: fc.integer({ min: 0, max: clusters - 1 }),
});

test("the AUC of weighted, tied and resampled rows is that of all pairs", () => {
  fc.assert(
    fc.property(
      fc.array(row, { maxLength: 40 }),
      fc.array(fc.integer({ min: 0, max: 3 }), { minLength: clusters, maxLength: clusters }),
      (rows, counts) => {
        const columns: ScoredColumns = {
          score: Float32Array.from(rows, ({ score }) => score / 7),
          label: Float32Array.from(rows, ({ label }) => label),
          weight: Float32Array.from(rows, ({ weight }) => weight),
          cluster: Int32Array.from(rows, ({ cluster }) => cluster),
        };
        const copies = Uint8Array.from(counts);
        const found = aucStatistic(columns, orderByScore(columns.score)).of(copies);
        const expected = slowAuc(columns, copies);
        if (Number.isNaN(expected)) assert.ok(Number.isNaN(found));
        else assert.ok(Math.abs(found - expected) < 1e-12, `${found} is not ${expected}`);
      },
    ),
    { seed },
  );
});

test("a rank without information has an AUC of one half", () => {
  const rows = 10;
  const columns: ScoredColumns = {
    score: new Float64Array(rows).fill(-Infinity),
    label: Float32Array.from({ length: rows }, (_, i) => i % 2),
    weight: new Float32Array(rows).fill(1),
    cluster: new Int32Array(rows),
  };
  const auc = aucStatistic(columns, orderByScore(columns.score));
  assert.equal(auc.of(Uint8Array.of(1)), 0.5);
});
