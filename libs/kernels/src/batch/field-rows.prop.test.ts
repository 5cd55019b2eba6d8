import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "@heddle/base";
import fc from "fast-check";
import { openFieldRows } from "./field-rows.ts";

const widths = fc.record({
  numeric: fc.integer({ min: 0, max: 5 }),
  fields: fc.integer({ min: 0, max: 4 }),
  dimension: fc.integer({ min: 1, max: 19 }),
});

test("numbers and embeddings of any widths lie where the layers read them, from tables kept, lent and put anew", () => {
  const property = fc.property(
    widths.filter(({ numeric, fields }) => numeric + fields > 0),
    fc.array(fc.integer({ min: 0, max: 2_500 }), { minLength: 1, maxLength: 4 }),
    fc.integer(),
    ({ numeric, fields, dimension }, calls, seed) => {
      const random = seededRandom(seed);
      const numbers = (length: number) => Float32Array.from({ length }, () => random.next());
      const fieldRows = openFieldRows({ numeric, fields, dimension });
      const stride = numeric + fields * dimension;
      const kept = Array.from({ length: fields }, () => {
        const table = numbers((1 + dimension) * (1 + random.below(40)));
        return { table, place: fieldRows.keep(table) };
      });
      for (const rows of calls) {
        if (random.below(4) === 0) {
          fieldRows.forget();
          for (const one of kept) one.place = fieldRows.keep(one.table);
        }
        const own = kept.map(({ table, place }) => {
          // One in two has a table of its own, for this call alone.
          const given = random.below(2) === 0 ? table : numbers((1 + dimension) * 7);
          const entries = given.length / (1 + dimension);
          const codes = Int32Array.from({ length: rows }, () => random.below(entries));
          return { table: given, codes, place: given === table ? place : fieldRows.lend(given) };
        });
        const values = numbers(rows * numeric);
        const joined = new Float32Array(rows * stride).fill(NaN);
        const wide = new Float32Array(rows * fields).fill(NaN);
        fieldRows.gather(values, own, joined, wide);
        for (let row = 0; row < rows; row++) {
          const expected = [...values.subarray(row * numeric, (row + 1) * numeric)];
          own.forEach(({ table, codes }, f) => {
            const at = codes[row]! * (1 + dimension);
            assert.equal(wide[row * fields + f], table[at]);
            expected.push(...table.subarray(at + 1, at + 1 + dimension));
          });
          assert.deepEqual([...joined.subarray(row * stride, (row + 1) * stride)], expected);
        }
      }
    },
  );
  fc.assert(property, { numRuns: 60 });
});

test("kept tables are counted, and forgotten to the last byte", () => {
  const fieldRows = openFieldRows({ numeric: 0, fields: 1, dimension: 3 });
  fieldRows.keep(new Float32Array(4_000));
  fieldRows.lend(new Float32Array(400));
  assert.equal(fieldRows.keptBytes, 16_000);
  fieldRows.forget();
  assert.equal(fieldRows.keptBytes, 0);
});
