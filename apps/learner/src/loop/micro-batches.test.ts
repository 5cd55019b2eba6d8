import fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TrainingBatch } from "../data/rows.ts";
import { cutMicroBatches } from "./micro-batches.ts";

const inputs = 3;

/** A batch whose row `n` is labelled by its number and names three of the ids 100, 101, … */
function batchOf(places: readonly number[], ids: number): TrainingBatch {
  const rows = Math.floor(places.length / inputs);
  const numbered = Float32Array.from({ length: rows }, (_, row) => row);
  return {
    ...{ at: { partition: 0, batch: 0 }, partition: "a", rows },
    ...{ numeric: numbered, label: numbered, weight: numbered },
    ids: BigUint64Array.from({ length: ids }, (_, at) => BigInt(100 + at)),
    index: Int32Array.from(places.slice(0, rows * inputs), (place) => place % ids),
  };
}

test("micro-batches have each row of the step once, with the ids that it names and no others, in the step's order", () => {
  const places = fc.array(fc.nat(), { minLength: inputs, maxLength: 60 });
  const counts = fc.record({
    ids: fc.integer({ min: 1, max: 30 }),
    microBatches: fc.integer({ min: 2, max: 9 }),
  });
  fc.assert(
    fc.property(places, counts, (all, { ids, microBatches }) => {
      const batch = batchOf(all, ids);
      const numbers = Array.from({ length: microBatches }, (_, n) => n);
      const parts = cutMicroBatches(batch, numbers, microBatches).map((part) => part.batch);
      assert.deepEqual(
        parts.flatMap(({ label }) => [...label]),
        [...batch.label],
      );
      assert.deepEqual(
        parts.flatMap((part) => Array.from(part.index, (at) => part.ids[at])),
        Array.from(batch.index, (at) => batch.ids[at]),
      );
      for (const part of parts) {
        assert.equal(new Set(part.index).size, part.ids.length);
        assert.deepEqual(part.ids, part.ids.toSorted());
      }
    }),
  );
});
