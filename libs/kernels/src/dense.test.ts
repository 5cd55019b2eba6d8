import { isHeddleError } from "@heddle/base";
import assert from "node:assert/strict";
import { test } from "node:test";
import { createDense } from "./dense.ts";
import type { Optimizer } from "./port.ts";

const adagrad: Optimizer = { kind: "adagrad", rate: 0.625, initialAccumulator: 0, epsilon: 0 };

test("Adagrad without a first accumulator moves by the rate at the first step, then by less", () => {
  const dense = createDense(Float32Array.of(1, 1), adagrad);
  dense.push(Float32Array.of(3, -100));
  assert.deepEqual(dense.values, Float32Array.of(0.375, 1.625));
  dense.push(Float32Array.of(4, 0));
  assert.deepEqual(dense.values, Float32Array.of(0.375 - 0.5, 1.625));
});

test("sgd moves by rate times gradient and keeps no slots", () => {
  const dense = createDense(Float32Array.of(1), { kind: "sgd", rate: 0.25 });
  dense.push(Float32Array.of(2));
  assert.deepEqual(dense.values, Float32Array.of(0.5));
  assert.equal(dense.slots.length, 0);
});

test("a bad gradient changes nothing; a saved state comes back", () => {
  const initial = Float32Array.of(1, 2);
  const dense = createDense(initial, { ...adagrad, epsilon: 1e-7 });
  dense.push(Float32Array.of(1, 1));
  const saved = [dense.values.slice(), dense.slots.slice()] as const;
  assert.throws(
    () => dense.push(Float32Array.of(1, NaN)),
    (error) => isHeddleError(error, "NOT_FINITE"),
  );
  assert.throws(
    () => dense.push(Float32Array.of(1)),
    (error) => isHeddleError(error, "WRONG_SIZE"),
  );
  assert.deepEqual([dense.values, dense.slots], saved);
  const other = createDense(initial, adagrad);
  other.restore(...saved);
  assert.deepEqual([other.values, other.slots], saved);
  assert.deepEqual(initial, Float32Array.of(1, 2));
});
