import { isHeddleError } from "@heddle/base";
import assert from "node:assert/strict";
import { test } from "node:test";
import { allFinite, bigUint64Of, bytesOf, float32Of } from "./views.ts";

/** The bytes of `array`, lying `shift` bytes into a larger buffer. */
function shifted(array: ArrayBufferView, shift: number): Uint8Array {
  const host = new Uint8Array(array.byteLength + shift);
  host.set(bytesOf(array), shift);
  return host.subarray(shift);
}

test("aligned bytes are viewed, not copied", () => {
  const source = Float32Array.of(1, 2, 3);
  const read = float32Of(bytesOf(source));
  assert.equal(read.buffer, source.buffer);
  const ids = BigUint64Array.of(1n, 2n ** 64n - 1n);
  assert.equal(bigUint64Of(bytesOf(ids)).buffer, ids.buffer);
});

test("bytes at any offset are read right", () => {
  const numbers = Float32Array.of(1.5, -2.25, 3e38);
  const ids = BigUint64Array.of(0n, 2n ** 63n, 2n ** 64n - 1n);
  for (let shift = 0; shift < 9; shift++) {
    assert.deepEqual(float32Of(shifted(numbers, shift)), numbers);
    assert.deepEqual(bigUint64Of(shifted(ids, shift)), ids);
  }
});

test("a Buffer from Node's pool gives only its own values", () => {
  assert.deepEqual(float32Of(Buffer.from(Float32Array.of(7, 8).buffer)), Float32Array.of(7, 8));
});

test("bytes that are no whole number of values are refused", () => {
  const wrongSize = (error: unknown): boolean => isHeddleError(error, "WRONG_SIZE");
  assert.throws(() => float32Of(new Uint8Array(5)), wrongSize);
  assert.throws(() => bigUint64Of(new Uint8Array(12)), wrongSize);
});

test("one NaN or infinity anywhere is found", () => {
  assert.equal(allFinite(Float32Array.of(1, -3.4e38, 0)), true);
  assert.equal(allFinite(Float32Array.of(1, NaN)), false);
  assert.equal(allFinite(Float64Array.of(-Infinity, 1)), false);
});
