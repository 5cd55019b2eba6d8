import { isHeddleError } from "@heddle/base";
import fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import { createDense } from "./dense.ts";
import type { Optimizer } from "./port.ts";
import { createTable } from "./table/table.ts";

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

test("momentum and Adam end where float64 ends, with a row's bits", () => {
  fc.assert(
    fc.property(
      fc.constantFrom<Optimizer>(
        { kind: "momentum", rate: 0.1, momentum: 0.9 },
        { kind: "adam", rate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-7 },
      ),
      fc.array(
        fc.array(fc.double({ min: 0.01, max: 2, noNaN: true }), { minLength: 5, maxLength: 5 }),
        {
          minLength: 1,
          maxLength: 30,
        },
      ),
      (optimizer, pushes) => {
        const initial = Float32Array.of(0, 0, 0, 0, 0);
        const dense = createDense(initial, optimizer);
        const table = createTable({
          dimension: 5,
          optimizer,
          initialDeviation: 0,
          seed: 1,
          rowsMax: 1,
        });
        const exact = [...initial];
        const [first, second] = [
          [0, 0, 0, 0, 0],
          [0, 0, 0, 0, 0],
        ];
        pushes.forEach((each, t) => {
          const gradient = Float32Array.from(each);
          dense.push(gradient);
          table.push(BigUint64Array.of(1n), gradient);
          gradient.forEach((g, i) => {
            if (optimizer.kind === "momentum") {
              first[i] = optimizer.momentum * first[i]! + g;
              exact[i]! -= optimizer.rate * first[i];
            } else if (optimizer.kind === "adam") {
              const { rate, beta1, beta2, epsilon } = optimizer;
              first[i] = beta1 * first[i]! + (1 - beta1) * g;
              second[i] = beta2 * second[i]! + (1 - beta2) * g * g;
              const mean = first[i] / (1 - beta1 ** (t + 1));
              const root = Math.sqrt(second[i] / (1 - beta2 ** (t + 1)));
              exact[i]! -= (rate * mean) / (root + epsilon);
            }
          });
        });
        const { values, slots } = table.snapshot();
        assert.deepEqual([dense.values, dense.slots], [values, slots]);
        exact.forEach((wanted, i) => {
          const error = Math.abs(dense.values[i]! - wanted);
          assert.ok(error <= 2e-5 * Math.max(1, Math.abs(wanted)), `${dense.values[i]}, ${wanted}`);
        });
      },
    ),
  );
});
