import { isHeddleError } from "@heddle/base";
import fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ParameterTable, TableSpec } from "./port.ts";
import { createTable } from "./table.ts";

const spec: TableSpec = {
  dimension: 3,
  optimizer: { kind: "adagrad", rate: 0.1, initialAccumulator: 0.1, epsilon: 1e-7 },
  initialDeviation: 0.05,
  seed: 7,
  rowsMax: 1_000,
};

/** Few ids, so that they meet often; the extremes among them. */
const id = fc.oneof(
  fc.bigInt({ min: 0n, max: 20n }),
  fc.constantFrom(2n ** 32n, 2n ** 63n, 2n ** 64n - 1n),
);
const gradient = fc.float({ min: -10, max: 10, noNaN: true });
const push = fc.uniqueArray(id, { maxLength: 12 }).chain((ids) =>
  fc.record({
    ids: fc.constant(BigUint64Array.from(ids)),
    gradients: fc
      .array(gradient, { minLength: ids.length * 3, maxLength: ids.length * 3 })
      .map((values) => Float32Array.from(values)),
  }),
);

function row(table: ParameterTable, ...ids: bigint[]): Float32Array {
  const out = new Float32Array(ids.length * table.spec.dimension);
  table.pull(BigUint64Array.from(ids), out);
  return out;
}

/** The slow and obvious table: a Map of float64 numbers. */
function oracle(pushes: { ids: BigUint64Array; gradients: Float32Array }[]): Map<bigint, number[]> {
  const fresh = createTable(spec);
  const values = new Map<bigint, number[]>();
  const sums = new Map<bigint, number[]>();
  for (const { ids, gradients } of pushes) {
    ids.forEach((one, i) => {
      const v = values.get(one) ?? [...row(fresh, one)];
      const s = sums.get(one) ?? [0.1, 0.1, 0.1];
      for (let c = 0; c < 3; c++) {
        const g = gradients[i * 3 + c]!;
        s[c] = s[c]! + g * g;
        v[c] = v[c]! - (0.1 * g) / (Math.sqrt(s[c]!) + 1e-7);
      }
      values.set(one, v);
      sums.set(one, s);
    });
  }
  return values;
}

test("any pushes end where Adagrad in float64 ends, to float32 accuracy", () => {
  fc.assert(
    fc.property(fc.array(push, { maxLength: 12 }), (pushes) => {
      const table = createTable(spec);
      for (const { ids, gradients } of pushes) table.push(ids, gradients);
      const expected = oracle(pushes);
      assert.equal(table.rows, expected.size);
      for (const [one, values] of expected) {
        row(table, one).forEach((value, c) => {
          const wanted = values[c]!;
          assert.ok(Math.abs(value - wanted) <= 2e-6 * Math.max(1, Math.abs(wanted)), `${one}`);
        });
      }
    }),
  );
});

test("a restored snapshot reads and goes on as the table it was taken from, bit for bit", () => {
  fc.assert(
    fc.property(fc.array(push, { maxLength: 8 }), push, (pushes, next) => {
      const table = createTable(spec);
      for (const { ids, gradients } of pushes) table.push(ids, gradients);
      const copy = createTable(spec);
      copy.push(BigUint64Array.of(99n), Float32Array.of(1, 1, 1));
      copy.restore(table.snapshot());
      assert.deepEqual(copy.snapshot(), table.snapshot());
      table.push(next.ids, next.gradients);
      copy.push(next.ids, next.gradients);
      assert.deepEqual(copy.snapshot(), table.snapshot());
    }),
  );
});

test("a snapshot is in ascending order of id, whatever the order of the pushes", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { maxLength: 300 }),
      (ids) => {
        const forth = createTable(spec);
        const back = createTable(spec);
        const one = Float32Array.of(1, -1, 2);
        for (const each of ids) forth.push(BigUint64Array.of(each), one);
        for (const each of ids.toReversed()) back.push(BigUint64Array.of(each), one);
        assert.deepEqual(forth.snapshot(), back.snapshot());
        const wanted = BigUint64Array.from(ids).sort();
        assert.deepEqual(forth.snapshot().ids, wanted);
      },
    ),
  );
});

test("a push with one bad number changes nothing", () => {
  fc.assert(
    fc.property(
      push,
      fc.constantFrom(NaN, Infinity, -Infinity, 1e30),
      fc.nat(),
      (next, bad, at) => {
        fc.pre(next.ids.length > 0);
        const table = createTable(spec);
        table.push(BigUint64Array.of(0n, 1n), Float32Array.of(1, 2, 3, 4, 5, 6));
        const before = table.snapshot();
        const gradients = next.gradients.slice();
        gradients[at % gradients.length] = bad;
        assert.throws(
          () => table.push(next.ids, gradients),
          (e) => isHeddleError(e, "NOT_FINITE"),
        );
        assert.deepEqual(table.snapshot(), before);
      },
    ),
  );
});
