import assert from "node:assert/strict";
import { test } from "node:test";
import { openArena } from "./row-memory.ts";

test("an arena's arrays do not overlap, also where it grows, until it takes them back", () => {
  const arena = openArena();
  const sizes = [3, 1, 0, 5_000, 7, 20_000, 2];
  const numbers = sizes.map((size, i) => arena.float64(size).fill(i));
  const codes = sizes.map((size, i) => arena.int32(size).fill(100 + i));
  for (const [i, size] of sizes.entries()) {
    assert.deepEqual(numbers[i], new Float64Array(size).fill(i));
    assert.deepEqual(codes[i], new Int32Array(size).fill(100 + i));
  }
  arena.reset();
  const [first, again] = [arena.float64(4), (arena.reset(), arena.float64(4))];
  assert.equal(again.buffer, first.buffer);
  assert.equal(again.byteOffset, first.byteOffset);
});
