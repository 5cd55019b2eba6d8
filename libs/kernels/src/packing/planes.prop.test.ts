import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { joinIds, joinWords, splitIds, splitWords } from "./planes.ts";

/** By definition: byte `plane` of value `i`. */
function planesOf(bytes: Uint8Array, width: number): Uint8Array {
  const count = bytes.length / width;
  return Uint8Array.from(bytes, (_, at) => bytes[(at % count) * width + Math.floor(at / count)]!);
}
const wrapped = (id: bigint): bigint => BigInt.asUintN(64, id);
const someIds = fc.array(
  fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.bigInt({ min: 0n, max: 9n })),
  { maxLength: 70 },
);

test("words lie in planes and come back, whatever their number and wherever their memory begins", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(3), (bytes, skip) => {
      const words = new Uint32Array(bytes.slice(0, bytes.length & ~3).buffer);
      const planes = new Uint8Array(skip + words.byteLength).subarray(skip);
      splitWords(words, planes);
      assert.deepEqual(planes, planesOf(new Uint8Array(words.buffer), 4));
      const back = new Uint32Array(words.length);
      joinWords(planes, back);
      assert.deepEqual(back, words);
    }),
  );
});

test("ids lie in planes as distances and come back in any order, and it is told whether they ascend", () => {
  fc.assert(
    fc.property(someIds, fc.boolean(), (drawn, sorted) => {
      const ids = BigUint64Array.from(drawn);
      if (sorted) ids.sort();
      const planes = new Uint8Array(ids.byteLength);
      splitIds(ids, planes);
      const distances = ids.map((id, i) => wrapped(id - (i === 0 ? 0n : ids[i - 1]!)));
      assert.deepEqual(planes, planesOf(new Uint8Array(distances.buffer), 8));
      const back = new BigUint64Array(ids.length);
      assert.equal(
        joinIds(planes, back),
        ids.every((id, i) => i === 0 || id > ids[i - 1]!),
      );
      assert.deepEqual(back, ids);
    }),
  );
});

test("a large block and a small one behind it use the same memory", () => {
  const floats = Float32Array.from({ length: 300_007 }, (_, i) => Math.sin(i));
  for (const values of [floats, floats.subarray(0, 5), floats]) {
    const planes = new Uint8Array(values.byteLength);
    splitWords(values, planes);
    const back = new Float32Array(values.length);
    joinWords(planes, back);
    assert.deepEqual(back, values);
  }
});

test("bytes that are no whole values are a mistake of the caller", () => {
  assert.throws(() => joinWords(new Uint8Array(5), new Float32Array(1)), /whole values/);
  assert.throws(() => joinIds(new Uint8Array(8), new BigUint64Array(2)), /whole values/);
});
