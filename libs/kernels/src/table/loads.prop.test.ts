import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { ParameterTable, TableSpec } from "../port.ts";
import { createSplitTable } from "./split/split-table.ts";
import { createTable } from "./table.ts";
import { createPart } from "./create-part.ts";

const spec: TableSpec = {
  dimension: 3,
  optimizer: { kind: "adagrad", rate: 0.1, initialAccumulator: 0.1, epsilon: 1e-7 },
  initialDeviation: 0.1,
  seed: 1,
  rowsMax: 20_000,
};
const kinds: Record<string, () => ParameterTable> = {
  "one instance": () => createTable(spec),
  "two instances": () => createSplitTable([createPart(spec), createPart(spec)]),
};
/** Rows of more than one call of the kernel, and of one. */
const load = fc.record({ first: fc.nat(9_000), count: fc.constantFrom(1, 2_500, 6_000) });

/** Ascending, and spread over all bits as hashed ids are. */
const idsOf = ({ first, count }: { first: number; count: number }): BigUint64Array =>
  BigUint64Array.from({ length: count }, (_, i) =>
    BigInt.asUintN(64, BigInt(first + i + 1) * 0x9e3779b97f4a7c15n),
  ).sort();

for (const [kind, create] of Object.entries(kinds)) {
  test(`${kind}: after loads of new rows and of old ones in any order, each row is as it came last`, () => {
    fc.assert(
      fc.property(fc.array(load, { minLength: 1, maxLength: 5 }), (loads) => {
        const table = create();
        const last = new Map<bigint, number>();
        for (const [salt, one] of loads.entries()) {
          const ids = idsOf(one);
          for (const id of ids) last.set(id, salt);
          const rows = new Float32Array(one.count * 3).fill(salt);
          table.load({ ids, values: rows, slots: rows }, one.count);
        }
        const { ids, values, slots } = table.snapshot();
        assert.deepEqual(ids, BigUint64Array.from(last.keys()).sort());
        const expected = Float32Array.from(values, (_, i) => last.get(ids[Math.floor(i / 3)]!)!);
        assert.deepEqual(values, expected);
        assert.deepEqual(slots, expected);
      }),
      { numRuns: 20 },
    );
  });
}
