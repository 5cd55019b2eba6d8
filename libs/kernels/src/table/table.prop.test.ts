import fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import { bits, idsOf, numbers } from "../fixtures/made-rows.ts";
import { createTypeScriptTable } from "../fixtures/typescript-table.ts";
import type { Optimizer, ParameterTable, TableSpec } from "../port.ts";
import { createSplitTable } from "./split/split-table.ts";
import { createTable } from "./table.ts";
import { createPart } from "./create-part.ts";

/** Rows before and after the steps of growth, with columns before, at and after whole vectors of four. */
const spec = fc.record({
  dimension: fc.constantFrom(1, 2, 3, 4, 5, 16, 17, 35),
  optimizer: fc.oneof(
    fc.record({
      kind: fc.constant("sgd" as const),
      rate: fc.float({ min: 0, max: 2, noNaN: true }),
    }),
    fc.record({
      kind: fc.constant("adagrad" as const),
      rate: fc.double({ min: 0, max: 2, noNaN: true }),
      initialAccumulator: fc.double({ min: 0, max: 1, noNaN: true }),
      epsilon: fc.constantFrom(0, 1e-7, 0.1),
    }),
    fc.record({
      kind: fc.constant("momentum" as const),
      rate: fc.double({ min: 0, max: 2, noNaN: true }),
      momentum: fc.double({ min: 0, max: 0.99, noNaN: true }),
    }),
    fc.record({
      kind: fc.constant("adam" as const),
      rate: fc.double({ min: 0, max: 2, noNaN: true }),
      beta1: fc.double({ min: 0, max: 0.99, noNaN: true }),
      beta2: fc.double({ min: 0, max: 0.9999, noNaN: true }),
      epsilon: fc.constantFrom(1e-7, 0.1),
    }),
  ) satisfies fc.Arbitrary<Optimizer>,
  storage: fc.constantFrom("float32" as const, "bfloat16" as const),
  initialDeviation: fc.constantFrom(0, 0.05, 1),
  seed: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  rowsMax: fc.constantFrom(2_500, 100_000),
});

/** Several instances give what one gives. */
const instances = fc.constantFrom(1, 1, 3);
const openTable = (one: TableSpec, count: number): ParameterTable =>
  count === 1
    ? createTable(one)
    : createSplitTable(Array.from({ length: count }, () => createPart(one)));

/** A step takes `count` ids of a sequence from `first`; `spread` sends them over all 64 bits. */
const step = fc.record({
  kind: fc.constantFrom("push", "push", "push", "pull", "restore", "load"),
  first: fc.nat(3_000),
  count: fc.oneof(fc.nat(40), fc.nat(2_000)),
  spread: fc.constantFrom(1n, 1n << 32n, 0x9e3779b97f4a7c15n),
  size: fc.constantFrom(1e-30, 1, 1e17, 2e18),
  seed: fc.nat(),
});

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

function saved(table: ParameterTable) {
  const { ids, values, slots } = table.snapshot();
  return { rows: table.rows, ids, values: bits(values), slots: bits(slots) };
}

/** What a step gives: what was pulled, or the reason of a refusal. */
function take(
  create: () => ParameterTable,
  table: ParameterTable,
  { kind, size, seed, ...which }: Step,
): unknown {
  const ids = idsOf(which);
  const { dimension } = table.spec;
  try {
    if (kind === "push") table.push(ids, numbers(ids.length * dimension, size, seed));
    if (kind === "restore" || kind === "load") {
      const other = create();
      other.push(ids, numbers(ids.length * dimension, 1, seed));
      table[kind](other.snapshot());
    }
    const out = new Float32Array(ids.length * dimension);
    table.pull(ids, out);
    return bits(out);
  } catch (error) {
    return (error as Error).message;
  }
}

test("any steps give the bits and the refusals of the table in TypeScript", () => {
  fc.assert(
    fc.property(spec, instances, fc.array(step, { maxLength: 12 }), (one, count, steps) => {
      const table = openTable(one, count);
      const oracle = createTypeScriptTable(one);
      for (const each of steps) {
        assert.deepEqual(
          take(() => createTable(one), table, each),
          take(() => createTypeScriptTable(one), oracle, each),
        );
      }
      assert.deepEqual(saved(table), saved(oracle));
    }),
    { numRuns: 150 },
  );
});
