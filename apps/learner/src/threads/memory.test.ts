import assert from "node:assert/strict";
import { test } from "node:test";
import { openSharedMemory } from "./shared-memory.ts";

test("shared memory grows to the largest use of it, then is the same for ever", () => {
  const memory = openSharedMemory();
  const use = () => {
    memory.reset();
    const arrays = [memory.float32(3), memory.bigUint64(5), memory.int32(7), memory.float32(100)];
    arrays.forEach((array, i) =>
      array.fill((array instanceof BigUint64Array ? BigInt(i) : i) as never),
    );
    arrays.forEach((array, i) => assert.ok(array.every((x) => Number(x) === i)));
    return arrays.map(({ buffer }) => buffer);
  };
  for (let round = 0; round < 3; round++) use();
  const { buffer } = memory;
  const [first, ...others] = use();
  assert.ok(first === buffer && others.every((other) => other === buffer));
  assert.ok(buffer.byteLength < 2_000, String(buffer.byteLength));
  assert.equal(openSharedMemory(buffer).float32(100).buffer, buffer, "it can be used again");
});

test("what was given stays what it was when the memory grows", () => {
  const memory = openSharedMemory();
  const small = memory.float32(2).fill(1);
  memory.float32(1_000).fill(2);
  assert.deepEqual([...small], [1, 1]);
});
