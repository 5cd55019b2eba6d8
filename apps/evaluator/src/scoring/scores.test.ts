import assert from "node:assert/strict";
import { test } from "node:test";
import type { Scorer } from "@heddle/model";
import type { Fallback } from "@heddle/sdk";
import { columnsFromRows } from "@heddle/transform";
import { featuresOf, scoreRows } from "./scores.ts";
import type { Rivals } from "./rivals.ts";

const rows = columnsFromRows(
  [
    { popularity: 3, brand: "a" },
    { popularity: null, brand: "b" },
  ],
  { popularity: "int64", brand: "category" },
  1e12,
);
const candidate = {
  features: ["brand"],
  transformKey: "all alike",
  transform: (_: unknown, from: number, to: number) => ({ rows: to - from }),
  predict: async ({ rows: count }: { rows: number }) => new Float32Array(count).fill(0.5),
} as unknown as Scorer;
const rivals = (fallback: Fallback): Rivals => ({ candidate, fallback });

test("the fallback ranks by its feature, and what lacks it comes last", async () => {
  const by = rivals({ name: "popular", feature: "popularity" });
  assert.deepEqual(featuresOf(by), ["brand", "popularity"]);
  const { fallback, live } = await scoreRows(by, rows);
  assert.deepEqual([...fallback], [3, -Infinity]);
  assert.equal(live, undefined);
});

test("a fallback without a feature finds every row alike", async () => {
  const { fallback } = await scoreRows(rivals({ name: "any" }), rows);
  assert.deepEqual([...fallback], [0, 0]);
});

test("a fallback by a category, or by nothing known, is refused by name", async () => {
  for (const feature of ["brand", "none"]) {
    await assert.rejects(scoreRows(rivals({ name: "popular", feature }), rows), {
      reason: "FALLBACK_NOT_NUMERIC",
    });
  }
});
