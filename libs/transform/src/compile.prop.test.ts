import type { CategoryExpression, ModelInput, NumberExpression } from "@heddle/sdk";
import fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ColumnBatch } from "./columns.ts";
import { compileTransform } from "./compile.ts";
import { openFitter } from "./fitter.ts";

const number = fc.letrec<{ any: NumberExpression; leaf: NumberExpression }>((tie) => ({
  leaf: fc.constantFrom<NumberExpression>(
    { op: "value", feature: "amount" },
    { op: "value", feature: "price" },
    { op: "age-days", feature: "last" },
    { op: "is-missing", feature: "price" },
    { op: "is-missing", feature: "brand" },
  ),
  any: fc.oneof(
    { maxDepth: 4 },
    tie("leaf"),
    tie("any").map((of): NumberExpression => ({ op: "clip", of, low: -5, high: 50 })),
    tie("any").map((of): NumberExpression => ({ op: "scale", of, factor: 0.5, offset: 1 })),
    tie("any").map((of): NumberExpression => ({ op: "default", of, value: 3 })),
    tie("any").map((of): NumberExpression => ({
      op: "log1p",
      of: { op: "clip", of, low: 0, high: 9 },
    })),
    fc
      .tuple(tie("any"), tie("any"))
      .map(([of, minus]): NumberExpression => ({ op: "difference", of, minus })),
    fc.tuple(tie("any"), tie("leaf")).map(([of, by]): NumberExpression => ({
      op: "clip",
      of: { op: "ratio", of, by },
      low: -1e6,
      high: 1e6,
    })),
  ),
})).any;

const part: fc.Arbitrary<CategoryExpression> = fc.oneof(
  fc.constantFrom<CategoryExpression>(
    { op: "category", feature: "brand" },
    { op: "category", feature: "shop" },
  ),
  number.map((of): CategoryExpression => ({ op: "bucketise", of, bounds: [-1, 0, 2, 10] })),
  number.map((of): CategoryExpression => ({
    op: "quantile",
    of: { op: "default", of, value: 0 },
    buckets: 4,
  })),
);
const category = fc.oneof(
  part,
  fc
    .array(part, { minLength: 2, maxLength: 3 })
    .map((of): CategoryExpression => ({ op: "cross", of })),
);

const plans = fc
  .tuple(fc.array(number, { maxLength: 3 }), fc.array(category, { maxLength: 3 }), fc.boolean())
  .map(([numbers, categories, standardised]): ModelInput[] => [
    ...numbers.map((of, i): ModelInput => {
      const whole: NumberExpression = { op: "default", of, value: -1 };
      return {
        name: `n${i}`,
        kind: "numeric",
        of: standardised ? { op: "standardise", of: whole } : whole,
      };
    }),
    ...categories.map((of, i): ModelInput => ({ name: `e${i}`, kind: "embedding", of })),
  ]);

const row = fc.record({
  amount: fc.integer({ min: -20, max: 100 }),
  price: fc.option(fc.double({ min: -50, max: 50, noNaN: true })),
  last: fc.option(fc.integer({ min: 0, max: 1e9 })),
  brand: fc.option(fc.constantFrom("a", "b", "c")),
  shop: fc.constantFrom("x", "y"),
  time: fc.integer({ min: 0, max: 2e9 }),
});
type Row = typeof row extends fc.Arbitrary<infer R> ? R : never;

function batchOf(rows: readonly Row[]): ColumnBatch {
  const numbers = (of: (row: Row) => number | null) => ({
    values: Float64Array.from(rows, (each) => of(each) ?? 0),
    valid: Uint8Array.from(rows, (each) => (of(each) === null ? 0 : 1)),
  });
  const categories = (of: (row: Row) => string | null) => {
    const dictionary = [...new Set(rows.map(of).filter((value) => value !== null))];
    const codes = Int32Array.from(rows, (each) => dictionary.indexOf(of(each) ?? ""));
    return { type: "category", dictionary, codes } as const;
  };
  return {
    rows: rows.length,
    exampleTimeMs: Float64Array.from(rows, ({ time }) => time),
    features: {
      amount: { type: "int64", values: Float64Array.from(rows, ({ amount }) => amount) },
      price: { type: "float64", ...numbers(({ price }) => price) },
      last: { type: "timestamp", ...numbers(({ last }) => last) },
      brand: categories(({ brand }) => brand),
      shop: categories(({ shop }) => shop),
    },
  };
}

test("running over a batch gives what running row by row gives, and slices give their part of it", () => {
  fc.assert(
    fc.property(
      plans,
      fc.array(row, { minLength: 1, maxLength: 12 }),
      fc.nat(12),
      (plan, rows, cut) => {
        const batch = batchOf(rows);
        const fitter = openFitter(plan);
        fitter.add(batch);
        const program = compileTransform(plan, fitter.fit());
        const whole = program.run(batch);
        assert.equal(whole.rows, rows.length);
        const alone = rows.map((each) => program.run(batchOf([each])));
        assert.deepEqual(
          [...whole.numeric],
          alone.flatMap(({ numeric }) => [...numeric]),
        );
        assert.deepEqual(
          [...whole.ids],
          alone.flatMap(({ ids }) => [...ids]),
        );
        const middle = Math.min(cut, rows.length);
        const parts = [program.run(batch, 0, middle), program.run(batch, middle)];
        assert.deepEqual(
          [...whole.numeric],
          parts.flatMap(({ numeric }) => [...numeric]),
        );
        assert.deepEqual(
          [...whole.ids],
          parts.flatMap(({ ids }) => [...ids]),
        );
      },
    ),
  );
});
