import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { openIdNumbers } from "./id-numbers.ts";

/** 0, the largest, and ids that differ in one half alone. */
const edge = fc.constantFrom(0n, 1n, 2n ** 32n, 2n ** 32n - 1n, 2n ** 63n, 2n ** 64n - 1n);
const ids = fc.array(fc.oneof(edge, fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })), {
  maxLength: 40,
});

test("ids are numbered in the order in which they come, each once", () => {
  const numbers = openIdNumbers();
  fc.assert(
    fc.property(fc.array(ids, { maxLength: 6 }), (calls) => {
      numbers.clear();
      const expected = new Map<bigint, number>();
      for (const call of calls) {
        const out = new Int32Array(call.length);
        numbers.add(BigUint64Array.from(call), out);
        for (const [i, id] of call.entries()) {
          const number = expected.get(id) ?? expected.size;
          expected.set(id, number);
          assert.equal(out[i], number);
        }
      }
      assert.deepEqual([...numbers.ids()], [...expected.keys()]);
    }),
  );
});

test("numbers hold while memory grows", () => {
  const numbers = openIdNumbers();
  const many = BigUint64Array.from({ length: 100_000 }, (_, i) =>
    BigInt.asUintN(64, BigInt(i) * 0x9e3779b97f4a7c15n),
  );
  const twice = new Int32Array(many.length);
  const once = new Int32Array(many.length);
  for (const out of [once, twice]) numbers.add(many, out);
  assert.deepEqual(
    once,
    Int32Array.from(many, (_, i) => i),
  );
  assert.deepEqual(twice, once);
});

test("ids without end are refused", () => {
  const numbers = openIdNumbers(2);
  const many = BigUint64Array.from({ length: 20_000 }, (_, i) => BigInt(i));
  assert.throws(() => numbers.add(many, new Int32Array(many.length)), {
    reason: "NO_MEMORY_FOR_IDS",
  });
});
