import assert from "node:assert/strict";
import { test } from "node:test";
import type { CodedIds } from "@heddle/transform";
import fc from "fast-check";
import { openNumberedIds, openUniqueOfBatch } from "./numbered-ids.ts";
import { ownMemory } from "./batch-memory.ts";

const rows = 7;
/** Few ids, so that they repeat, also in several inputs; 0 and the largest among them. */
const id = fc.constantFrom(0n, 1n, 2n, 3n, 2n ** 32n, 2n ** 64n - 1n);
const input: fc.Arbitrary<CodedIds> = fc
  .record({
    ids: fc.array(id, { minLength: 1, maxLength: 8 }),
    picks: fc.array(fc.nat(), { minLength: rows, maxLength: rows }),
    shared: fc.boolean(),
  })
  .map(({ ids, picks, shared }) => {
    const codes = Int32Array.from(picks, (pick) => pick % ids.length);
    return { ids: BigUint64Array.from(ids), codes, shared };
  });
const inputs = fc.array(input, { minLength: 1, maxLength: 3 });
/** From and to. */
const batch = fc.tuple(fc.nat(rows), fc.nat(rows));
/** So few that places begin anew within a run. */
const placesMax = 60;

test("each value of a batch stands at its id, and each id once", () => {
  const batches = fc.array(batch, { maxLength: 12 });
  fc.assert(
    fc.property(inputs, batches, (columns, ranges) => {
      const numbered = openNumberedIds();
      const numbers = columns.map(() => new Int32Array(2 * rows));
      // Pieces of a partition share its dictionaries.
      for (const at of [0, rows]) {
        columns.forEach((column, n) => numbered.write(column, numbers[n] as Int32Array, at));
      }
      const uniqueOf = openUniqueOfBatch(numbered.end(), numbers, rows, placesMax);
      for (const [from, length] of ranges) {
        const index = new Int32Array(length * columns.length);
        const unique = uniqueOf(from, from + length, index, ownMemory);
        assert.equal(new Set(unique).size, unique.length);
        const expected = Array.from({ length }, (_, n) =>
          columns.map(({ ids, codes }) => ids[codes[(from + n) % rows] as number]),
        ).flat();
        assert.deepEqual(
          Array.from(index, (at) => unique[at]),
          expected,
        );
        assert.deepEqual(new Set(unique), new Set(expected));
      }
    }),
  );
});
