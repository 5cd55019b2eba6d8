import fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import { addDims, broadcastShape, type Dim, mergeDim, mergeScalar, sameShape } from "./dim.ts";

const rows = { a: 23, b: 13 };
const small = fc.integer({ min: 0, max: 50 });
const at = (dim: Dim, n: number): number =>
  typeof dim === "number" ? dim : dim.rows * n + dim.plus;

test("a size that grows evenly with the rows is found again from two recordings", () => {
  fc.assert(
    fc.property(small, small, fc.integer({ min: 1, max: 9999 }), (times, plus, n) => {
      const size = (count: number): number => times * count + plus;
      assert.equal(at(mergeDim(size(rows.a), size(rows.b), rows, "a size"), n), size(n));
    }),
  );
});

test("sums and broadcasts of open sizes hold for every number of rows", () => {
  const dims = fc.array(
    fc.oneof(fc.constant(1), fc.constant({ rows: 2, plus: 3 }), fc.constant({ rows: 1, plus: 0 })),
    { maxLength: 3 },
  );
  fc.assert(
    fc.property(dims, fc.integer({ min: 2, max: 99 }), (shape, n) => {
      for (const dim of shape) assert.equal(at(addDims(dim, 4), n), at(dim, n) + 4);
      const spread = broadcastShape(
        shape,
        shape.map(() => 1),
      );
      assert.ok(sameShape(spread, shape));
      assert.deepEqual(
        broadcastShape([7, ...shape], shape).map((dim) => at(dim, n)),
        [7, ...shape.map((dim) => at(dim, n))],
      );
    }),
  );
});

test("numbers of JavaScript follow the rows, or are refused", () => {
  const inverse = Math.fround(1 / rows.a);
  assert.deepEqual(mergeScalar(inverse, Math.fround(1 / rows.b), rows), { over: 1 });
  assert.deepEqual(mergeScalar(2 * rows.a, 2 * rows.b, rows), { times: 2 });
  assert.equal(mergeScalar(0.5, 0.5, rows), 0.5);
  assert.throws(() => mergeScalar(0.5, 0.25, rows), /changed between two recordings/);
  assert.throws(() => mergeDim(6, 4, rows, "a size"), /a size was 6 with 23 rows and 4 with 13/);
});
