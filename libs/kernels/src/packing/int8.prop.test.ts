import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { seededRandom } from "@heddle/base";
import { type Int8Rounding, int8RowBytes, packInt8, unpackInt8 } from "./int8.ts";

const thereAndBack = (rows: Float32Array, dimension: number, how: Int8Rounding): Float32Array => {
  const out = new Float32Array(rows.length);
  unpackInt8(packInt8(rows.slice(), dimension, how), dimension, out);
  return out;
};
/** By definition, in float64: the largest error that a row may have. */
const allowed = (row: Float32Array, how: Int8Rounding): number => {
  const part = Math.max(...row.map(Math.abs)) / 127;
  return Math.max((how === "nearest" ? 0.5 : 1) * part * (1 + 1e-5), 1e-35);
};
const rowsOf = (dimension: number) =>
  fc
    .array(
      fc.array(fc.float({ noNaN: true, min: Math.fround(-3e38), max: Math.fround(3e38) }), {
        minLength: dimension,
        maxLength: dimension,
      }),
      { maxLength: 9 },
    )
    .map((rows) => Float32Array.from(rows.flat()));
const some = fc.integer({ min: 2, max: 21 }).chain((dimension) =>
  fc.record({
    dimension: fc.constant(dimension),
    rows: rowsOf(dimension),
    how: fc.constantFrom("nearest" as const, "drawn" as const),
  }),
);

test("values go to a byte and back, off by no more than half a part of their row's largest, or a whole one where drawn", () => {
  fc.assert(
    fc.property(some, ({ dimension, rows, how }) => {
      const back = thereAndBack(rows, dimension, how);
      for (let at = 0; at < rows.length; at += dimension) {
        const row = rows.subarray(at, at + dimension);
        const most = allowed(row, how);
        row.forEach((value, i) => {
          assert.ok(Math.abs((back[at + i] as number) - value) <= most, `${value} in ${row}`);
        });
      }
    }),
  );
});

test("a row is packed alike wherever it lies, and what lies behind it is not read", () => {
  fc.assert(
    fc.property(some, ({ dimension, rows, how }) => {
      const packed = packInt8(rows.slice(), dimension, how);
      const rowBytes = int8RowBytes(dimension);
      assert.equal(packed.length, (rows.length / dimension) * rowBytes);
      for (let at = 0, i = 0; at < rows.length; at += dimension, i++) {
        const alone = packInt8(rows.slice(at, at + dimension), dimension, how);
        assert.deepEqual(alone, packed.slice(i * rowBytes, (i + 1) * rowBytes));
      }
    }),
  );
});

test("any bytes are rows of something, and what is not finite in a row makes none of it a number", () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 9 }), fc.uint8Array({ maxLength: 99 }), (d, bytes) => {
      const count = Math.floor(bytes.length / int8RowBytes(d));
      unpackInt8(bytes.subarray(0, count * int8RowBytes(d)), d, new Float32Array(count * d));
    }),
  );
  for (const bad of [NaN, Infinity, -Infinity]) {
    for (const at of [0, 4]) {
      const row = Float32Array.of(1, -2, 3, -4, 5);
      row[at] = bad;
      for (const how of ["nearest", "drawn"] as const) {
        const back = thereAndBack(row, 5, how);
        assert.ok(!back.some(Number.isFinite), String(back));
      }
    }
  }
});

test("on average a value that is drawn is itself, also where the nearest would always be 0", () => {
  const random = seededRandom(5);
  const rows = new Float32Array(64 * 40_000);
  rows.forEach((_, i) => (rows[i] = i % 4 === 0 ? 1 : 0.001 + 0.002 * random.next()));
  const means = (values: Float32Array): number[] =>
    [1, 2, 3].map((column) => {
      let sum = 0;
      for (let i = column; i < values.length; i += 4) sum += values[i] as number;
      return sum / (values.length / 4);
    });
  const exact = means(rows);
  means(thereAndBack(rows, 4, "drawn")).forEach((mean, i) => {
    // Of 640,000 draws of 0 or 1/127 the mean has a deviation of 4e-6.
    assert.ok(Math.abs(mean - (exact[i] as number)) < 2e-5, `${mean} of ${exact[i]}`);
  });
  assert.deepEqual(means(thereAndBack(rows, 4, "nearest")), [0, 0, 0]);
});

test("many rows take many pieces", () => {
  const rows = Float32Array.from({ length: 3 * 20_000 }, (_, i) => Math.sin(i));
  const back = thereAndBack(rows, 3, "nearest");
  for (let at = 0; at < rows.length; at += 3) {
    const row = rows.subarray(at, at + 3);
    const most = allowed(row, "nearest");
    row.forEach((value, i) => assert.ok(Math.abs((back[at + i] as number) - value) <= most));
  }
});
