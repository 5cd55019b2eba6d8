import { isHeddleError } from "@heddle/base";
import {
  bucketise,
  clip,
  cross,
  embedding,
  category,
  log1p,
  numeric,
  quantile,
  standardise,
  value,
} from "@heddle/sdk";
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ColumnBatch } from "./columns.ts";
import { fitNothing } from "./compile.ts";
import { openFitter } from "./fitter.ts";

const batch = (...list: (number | null)[]): ColumnBatch => batchOf(list);
const batchOf = (list: readonly (number | null)[]): ColumnBatch => ({
  rows: list.length,
  exampleTimeMs: new Float64Array(list.length),
  features: {
    x: {
      type: "float64",
      values: Float64Array.from(list, (x) => x ?? 0),
      valid: Uint8Array.from(list, (x) => (x === null ? 0 : 1)),
    },
  },
});

test("mean and deviation are those of all rows added, nulls aside, under the path of the expression", () => {
  const fitter = openFitter([
    numeric("a", standardise(value("x"))),
    numeric("b", clip(standardise(clip(value("x"), 0, 3)), -1, 1)),
  ]);
  fitter.add(batch(1, 5, null));
  fitter.add(batch(3));
  const { standardise: fits } = fitter.fit();
  assert.deepEqual(Object.keys(fits), ["a", "b/of"]);
  assert.ok(Math.abs(fits["a"]!.mean - 3) < 1e-12);
  assert.ok(Math.abs(fits["a"]!.deviation - Math.sqrt(8 / 3)) < 1e-12);
  assert.ok(Math.abs(fits["b/of"]!.mean - 7 / 3) < 1e-12);
});

test("a constant gets deviation 1, so that it is standardised to 0", () => {
  const fitter = openFitter([numeric("a", standardise(value("x")))]);
  fitter.add(batch(7, 7));
  assert.deepEqual(fitter.fit().standardise, { a: { mean: 7, deviation: 1 } });
});

test("quantile bounds part the rows evenly, and equal bounds are one", () => {
  const fitter = openFitter([
    embedding("q", quantile(value("x"), 4)),
    embedding("c", cross(category("y"), quantile(clip(value("x"), 0, 40), 4))),
  ]);
  fitter.add(batch(...Array.from({ length: 100 }, (_, i) => 99 - i)));
  assert.deepEqual(fitter.fit().quantile, { q: [25, 50, 75], "c/of.1": [25, 40] });
});

test("nulls count for no quantile", () => {
  const fitter = openFitter([embedding("q", quantile(value("x"), 2))]);
  fitter.add(batch(null, 4, null, 2, 6, null, 8));
  assert.deepEqual(fitter.fit().quantile, { q: [6] });
});

test("quantiles of more values than are kept are still near", () => {
  const fitter = openFitter([embedding("q", quantile(value("x"), 4))]);
  const part = 300_000;
  for (let first = 0; first < 8; first++) {
    fitter.add(batchOf(Array.from({ length: part }, (_, i) => (i * 8 + first) / (part * 8))));
  }
  const bounds = fitter.fit().quantile["q"]!;
  bounds.forEach((bound, k) => assert.ok(Math.abs(bound - (k + 1) / 4) < 0.001, `${bound}`));
});

test("a plan without fitted transforms needs no rows; one with them needs a value", () => {
  assert.deepEqual(openFitter([embedding("b", bucketise(value("x"), [0]))]).fit(), fitNothing);
  const fitter = openFitter([numeric("a", standardise(value("x")))]);
  fitter.add(batch(null));
  assert.throws(
    () => fitter.fit(),
    (error) => isHeddleError(error, "NOTHING_TO_FIT"),
  );
});

test("a fit inside a fit, and values that are no numbers, are refused", () => {
  assert.throws(
    () => openFitter([numeric("a", standardise(clip(standardise(value("x")), 0, 1)))]),
    (error) => isHeddleError(error, "NESTED_FIT"),
  );
  const fitter = openFitter([numeric("a", standardise(log1p(value("x"))))]);
  assert.throws(
    () => fitter.add(batch(1, -2)),
    (error) => isHeddleError(error, "NOT_A_NUMBER"),
  );
});
