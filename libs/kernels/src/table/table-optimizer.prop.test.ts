import fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TableOptimizer } from "../port.ts";
import { createTable } from "./table.ts";

type Numbers = Readonly<Record<string, number>>;
/** One push in float64, column by column: slow and obvious. `row` keeps what it likes under `value` and other names. */
type Rule = (row: number[][], gradients: readonly number[], p: Numbers) => void;

/** Rows of a rule: [values, …]. */
const rules: Readonly<Record<string, Rule>> = {
  sgd: ([w = []], gradients, { rate = 0 }) => {
    gradients.forEach((g, i) => {
      w[i] = w[i]! - rate * g;
    });
  },
  momentum: ([w = [], v = []], gradients, { rate = 0, momentum = 0 }) => {
    gradients.forEach((g, i) => {
      v[i] = momentum * (v[i] ?? 0) + g;
      w[i] = w[i]! - rate * v[i];
    });
  },
  adagrad: ([w = [], s = []], gradients, p) => {
    gradients.forEach((g, i) => {
      s[i] = (s[i] ?? p["initialAccumulator"]!) + g * g;
      w[i] = w[i]! - (p["rate"]! * g) / (Math.sqrt(s[i]) + p["epsilon"]!);
    });
  },
  "rowwise-adagrad": ([w = [], s = []], gradients, p) => {
    const mean = gradients.reduce((sum, g) => sum + g * g, 0) / gradients.length;
    s[0] = (s[0] ?? p["initialAccumulator"]!) + mean;
    gradients.forEach((g, i) => {
      w[i] = w[i]! - (p["rate"]! * g) / (Math.sqrt(s[0]!) + p["epsilon"]!);
    });
  },
  adam: ([w = [], m = [], v = [], t = []], gradients, p) => {
    const { rate = 0, beta1 = 0, beta2 = 0, epsilon = 0 } = p;
    t[0] = (t[0] ?? 0) + 1;
    const pace = (rate * Math.sqrt(1 - beta2 ** t[0])) / (1 - beta1 ** t[0]);
    gradients.forEach((g, i) => {
      m[i] = beta1 * (m[i] ?? 0) + (1 - beta1) * g;
      v[i] = beta2 * (v[i] ?? 0) + (1 - beta2) * g * g;
      w[i] = w[i]! - (pace * m[i]) / (Math.sqrt(v[i]) + epsilon);
    });
  },
  ftrl: ([w = [], n = [], z = []], gradients, { rate = 0, beta = 0, l1 = 0, l2 = 0 }) => {
    gradients.forEach((g, i) => {
      const before = n[i] ?? 0;
      z[i] ??= -(w[i]! * (beta / rate + l2) + Math.sign(w[i]!) * l1);
      n[i] = before + g * g;
      z[i] = z[i] + g - ((Math.sqrt(n[i]) - Math.sqrt(before)) / rate) * w[i]!;
      const shrunk = Math.abs(z[i]) <= l1 ? 0 : z[i] - Math.sign(z[i]) * l1;
      w[i] = -shrunk / ((beta + Math.sqrt(n[i])) / rate + l2);
    });
  },
};

const rate = fc.double({ min: 0.001, max: 0.5, noNaN: true });
const accumulators = {
  initialAccumulator: fc.double({ min: 0.01, max: 1, noNaN: true }),
  epsilon: fc.constantFrom(1e-7, 1e-3),
};
const decay = fc.double({ min: 0, max: 0.95, noNaN: true });
const optimizer = fc.oneof(
  fc.record({ kind: fc.constant("sgd" as const), rate }),
  fc.record({ kind: fc.constant("momentum" as const), rate, momentum: decay }),
  fc.record({ kind: fc.constant("adagrad" as const), rate, ...accumulators }),
  fc.record({ kind: fc.constant("rowwise-adagrad" as const), rate, ...accumulators }),
  fc.record({
    ...{ kind: fc.constant("adam" as const), rate, beta1: decay },
    ...{ beta2: fc.double({ min: 0.5, max: 0.9999, noNaN: true }), epsilon: fc.constant(1e-6) },
  }),
  fc.record({
    ...{ kind: fc.constant("ftrl" as const), rate, beta: fc.constantFrom(0.1, 1) },
    ...{ l1: fc.constantFrom(0, 0.5), l2: fc.constantFrom(0, 1) },
  }),
) satisfies fc.Arbitrary<TableOptimizer>;

/** Sizes of a learner's gradients; 0 among them, and nothing so small that float32 loses its square. */
const gradient = fc.oneof(
  fc.constant(0),
  fc.double({ min: 1e-4, max: 4, noNaN: true }),
  fc.double({ min: -4, max: -1e-4, noNaN: true }),
);
const run = fc.record({
  optimizer,
  initialDeviation: fc.constantFrom(0, 0.1),
  pushes: fc.integer({ min: 1, max: 9 }).chain((dimension) =>
    fc.array(fc.array(gradient, { minLength: dimension, maxLength: dimension }), {
      minLength: 1,
      maxLength: 30,
    }),
  ),
});

test("each update rule ends where float64 ends, to float32 accuracy", () => {
  fc.assert(
    fc.property(run, ({ optimizer: one, initialDeviation, pushes }) => {
      const dimension = pushes[0]!.length;
      const table = createTable({
        dimension,
        optimizer: one,
        initialDeviation,
        seed: 3,
        rowsMax: 9,
      });
      const id = BigUint64Array.of(0n);
      const pulled = new Float32Array(dimension);
      table.pull(id, pulled);
      const row = [[...pulled], [], [], []];
      for (const each of pushes) {
        const gradients = Float32Array.from(each);
        table.push(id, gradients);
        rules[one.kind]!(row, [...gradients], one as unknown as Numbers);
        table.pull(id, pulled);
        const moved = pushes.length * one.rate;
        pulled.forEach((value, i) => {
          const wanted = row[0]![i]!;
          const allowed = 2e-5 * Math.max(moved, Math.abs(wanted), 0.1);
          assert.ok(Math.abs(value - wanted) <= allowed, `${value}, expected ${wanted}`);
        });
      }
    }),
    { numRuns: 400 },
  );
});

test("a restored snapshot goes on as the table it was taken from, whatever the optimiser's slots", () => {
  fc.assert(
    fc.property(run, ({ optimizer: one, initialDeviation, pushes }) => {
      const dimension = pushes[0]!.length;
      const spec = { dimension, optimizer: one, initialDeviation, seed: 3, rowsMax: 9 };
      const [table, other] = [createTable(spec), createTable(spec)];
      for (const each of pushes) {
        const gradients = Float32Array.from([...each, ...each]);
        table.push(BigUint64Array.of(7n, 0n), gradients);
        other.restore(other.snapshot());
        other.push(BigUint64Array.of(0n, 7n), gradients);
      }
      assert.deepEqual(other.snapshot(), table.snapshot());
    }),
  );
});
