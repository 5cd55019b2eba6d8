import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ndcg } from "./ndcg.ts";

const seed = Number(process.env["HEDDLE_SEED"] ?? 1);

/** The mean over all orders that agree with the scores, each gain summed in float64. */
function slowNdcg(at: number, rows: readonly { score: number; label: number }[]): number {
  const gain = (order: readonly { label: number }[]): number =>
    order.slice(0, at).reduce((sum, { label }, i) => sum + label / Math.log2(i + 2), 0);
  const orders = permutations(rows).filter((order) =>
    order.every(({ score }, i) => i === 0 || score <= order[i - 1]!.score),
  );
  const ideal = gain([...rows].sort((a, b) => b.label - a.label));
  return orders.reduce((sum, order) => sum + gain(order), 0) / orders.length / ideal;
}

function permutations<T>(of: readonly T[]): T[][] {
  if (of.length === 0) return [[]];
  return of.flatMap((first, i) =>
    permutations(of.filter((_, j) => j !== i)).map((rest) => [first, ...rest]),
  );
}

const row = fc.record({
  score: fc.integer({ min: 0, max: 3 }),
  label: fc.integer({ min: 0, max: 1 }),
});

test("the NDCG of tied candidates is the mean over all their orders", () => {
  fc.assert(
    fc.property(
      fc.array(row, { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 1, max: 7 }),
      (rows, at) => {
        const found = ndcg(
          at,
          Float32Array.from(rows, ({ score }) => score),
          Uint8Array.from(rows, ({ label }) => label),
          Int32Array.from(rows, (_, i) => i),
        );
        const expected = slowNdcg(at, rows);
        if (Number.isNaN(expected)) assert.ok(Number.isNaN(found));
        else assert.ok(Math.abs(found - expected) < 1e-12, `${found} is not ${expected}`);
      },
    ),
    { seed },
  );
});
