import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { packBfloat16, roundToBfloat16, unpackBfloat16 } from "./bfloat16.ts";

const thereAndBack = (values: Float32Array): Float32Array => {
  const out = new Float32Array(values.length);
  unpackBfloat16(packBfloat16(values.slice()), out);
  return out;
};

test("values go to two bytes and back as they are rounded in place, off by at most 1 in 256 of themselves", () => {
  fc.assert(
    fc.property(
      fc.array(fc.float({ noNaN: true, min: Math.fround(-3e38), max: Math.fround(3e38) })),
      (list) => {
        const values = Float32Array.from(list);
        const rounded = values.slice();
        roundToBfloat16(rounded);
        const back = thereAndBack(values);
        assert.deepEqual(back, rounded);
        back.forEach((value, i) => {
          const exact = values[i] as number;
          // Below 2^-126 floats are evenly spaced.
          assert.ok(Math.abs(value - exact) <= Math.max(Math.abs(exact), 2 ** -126) / 256);
        });
        assert.deepEqual(thereAndBack(back), back);
      },
    ),
  );
});

test("ties go to even, what is beyond the largest becomes infinite, and NaN stays NaN", () => {
  const bits = (...of: number[]): Float32Array => new Float32Array(Uint32Array.from(of).buffer);
  assert.deepEqual(thereAndBack(bits(0x3f808000, 0x3f818000)), bits(0x3f800000, 0x3f820000));
  assert.deepEqual(
    thereAndBack(bits(0x7f7fffff, 0xff7fffff)),
    Float32Array.of(Infinity, -Infinity),
  );
  const notNumbers = thereAndBack(bits(0x7f800001, 0x7fffffff, 0xffffffff, 0xff800001));
  assert.ok(notNumbers.every(Number.isNaN));
  assert.deepEqual(
    thereAndBack(Float32Array.of(0, -0, Infinity)),
    Float32Array.of(0, -0, Infinity),
  );
});
