import { seededRandom } from "@heddle/base";
import fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import { gatherRows, scatterRows, sumGradients } from "./batch.ts";
import { openExampleRows } from "./example-rows.ts";
import * as plain from "../fixtures/typescript-batch.ts";
import { uniqueIds } from "../ids/ids.ts";
import { groupByShard, shardOf, splitByShard } from "../ids/shards.ts";

const id = fc.oneof(
  fc.bigInt({ min: 0n, max: 9n }),
  fc.bigInt({ min: 0n, max: 9n }).map((high) => high << 32n),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
);
const ids = fc.array(id, { maxLength: 200 }).map((list) => BigUint64Array.from(list));

test("unique ids stand in the order first seen, and index leads back to the ids", () => {
  fc.assert(
    fc.property(ids, (all) => {
      const { unique, index } = uniqueIds(all);
      assert.deepEqual([...unique], [...new Set(all)]);
      assert.deepEqual(
        [...all],
        [...index].map((at) => unique[at]),
      );
    }),
  );
});

test("shards part the ids: none is lost, each lies where shardOf says, order is kept", () => {
  fc.assert(
    fc.property(ids, fc.integer({ min: 1, max: 7 }), (all, shards) => {
      const parts = splitByShard(all, shards);
      assert.equal(parts.length, shards);
      const positions = parts.flatMap((part) => [...part.positions]).sort((a, b) => a - b);
      assert.deepEqual(positions, [...all.keys()]);
      parts.forEach((part, shard) => {
        part.ids.forEach((one, i) => {
          assert.equal(one, all[part.positions[i]!]);
          assert.equal(shardOf(one, shards), shard);
          assert.ok(i === 0 || part.positions[i - 1]! < part.positions[i]!);
        });
      });
    }),
  );
});

test("distinct ids are grouped by shard, each shard's in the order given, and their index follows them", () => {
  const distinct = fc.uniqueArray(id, { maxLength: 200 });
  fc.assert(
    fc.property(distinct, fc.array(fc.nat()), fc.integer({ min: 1, max: 9 }), (all, at, shards) => {
      const own = BigUint64Array.from(all);
      const index = Int32Array.from(all.length === 0 ? [] : at, (place) => place % all.length);
      const named = Array.from(index, (place) => all[place]);
      const parts = splitByShard(BigUint64Array.from(all), shards);
      groupByShard(own, index, shards);
      assert.deepEqual(
        [...own],
        parts.flatMap(({ ids: part }) => [...part]),
      );
      assert.deepEqual(
        Array.from(index, (place) => own[place]),
        named,
      );
      const again = splitByShard(own, shards);
      assert.deepEqual(
        again.map(({ ids: part }) => part),
        parts.map(({ ids: part }) => part),
      );
      assert.ok(again.every(({ ids: part }) => part.buffer === own.buffer));
      assert.deepEqual(
        again.flatMap(({ positions }) => [...positions]),
        [...own.keys()],
      );
    }),
  );
});

test("shards are even for ids in sequence and for ids that differ only in their upper half", () => {
  for (const shift of [0n, 32n]) {
    const many = BigUint64Array.from({ length: 40_000 }, (_, i) => BigInt(i) << shift);
    for (const part of splitByShard(many, 4)) {
      assert.ok(Math.abs(part.ids.length - 10_000) < 500, `${part.ids.length} of 10000`);
    }
  }
});

test("summed gradients are the float32 sums in row order; gather and scatter undo each other", () => {
  const rows = fc.array(fc.tuple(fc.nat(5), fc.float({ noNaN: true, min: -1e6, max: 1e6 })), {
    minLength: 1,
    maxLength: 60,
  });
  fc.assert(
    fc.property(rows, (list) => {
      const index = Int32Array.from(list, ([at]) => at);
      const gradients = Float32Array.from(list.flatMap(([, g]) => [g, -2 * g]));
      const out = new Float32Array(12).fill(9);
      sumGradients([gradients], 2, index, 6, out);
      const expected = new Float32Array(12);
      index.forEach((at, i) => {
        expected[at * 2]! += gradients[i * 2]!;
        expected[at * 2 + 1]! += gradients[i * 2 + 1]!;
      });
      assert.deepEqual(out, expected);

      const gathered = new Float32Array(index.length * 2);
      gatherRows(out, 2, index, gathered);
      const back = new Float32Array(12);
      scatterRows(gathered, 2, index, back);
      const present = new Set(index);
      assert.deepEqual(
        back,
        out.map((x, i) => (present.has(i >> 1) ? x : 0)),
      );
    }),
  );
});

test("batches of any size and dimension give the bits that TypeScript gives", () => {
  const shape = fc.record({
    dimension: fc.constantFrom(1, 3, 4, 9, 17, 64, 20_000),
    unique: fc.integer({ min: 1, max: 50 }),
    // Up to four pieces of what is staged at a time.
    values: fc.integer({ min: 0, max: 65_536 }),
    seed: fc.nat(),
  });
  fc.assert(
    fc.property(shape, ({ dimension, unique, values, seed }) => {
      const random = seededRandom(seed);
      const count = Math.ceil(values / dimension);
      const index = Int32Array.from({ length: count }, () => random.below(unique));
      const some = (rows: number): Float32Array =>
        Float32Array.from({ length: rows * dimension }, () => random.next() - 0.5);
      const rows = some(unique);
      const [one, other] = [some(count), some(count)];
      gatherRows(rows, dimension, index, one);
      plain.gatherRows(rows, dimension, index, other);
      assert.deepEqual(one, other);
      const [sums, wanted] = [some(unique), some(unique)];
      const cut = dimension * random.below(count + 1);
      sumGradients([one.subarray(0, cut), one.subarray(cut)], dimension, index, unique, sums);
      plain.sumGradients(one, dimension, index, unique, wanted);
      assert.deepEqual(sums, wanted);
    }),
    { numRuns: 60 },
  );
});

test("rows around steps of any sizes, one after the other, give the bits that TypeScript gives", () => {
  const step = fc.record({
    unique: fc.integer({ min: 1, max: 3_000 }),
    values: fc.integer({ min: 0, max: 9_000 }),
    seed: fc.nat(),
  });
  fc.assert(
    fc.property(
      fc.constantFrom(1, 3, 4, 17),
      fc.array(step, { minLength: 1, maxLength: 4 }),
      (dimension, steps) => {
        const examples = openExampleRows(dimension);
        for (const { unique, values, seed } of steps) {
          const random = seededRandom(seed);
          const some = (rows: number): Float32Array =>
            Float32Array.from({ length: rows * dimension }, () => random.next() - 0.5);
          const index = Int32Array.from({ length: values }, () => random.below(unique));
          const [rows, ofExamples] = [some(unique), some(values)];
          const given = examples.spread(rows, index);
          const wanted = new Float32Array(values * dimension);
          plain.gatherRows(rows, dimension, index, wanted);
          assert.deepEqual(given.rows, wanted);
          given.gradients.set(ofExamples);
          const [sums, wantedSums] = [some(unique), some(unique)];
          examples.sum(sums);
          plain.sumGradients(ofExamples, dimension, index, unique, wantedSums);
          assert.deepEqual(sums, wantedSums);
        }
      },
    ),
    { numRuns: 40 },
  );
});

test("a batch whose rows fit no memory is refused by its size", () => {
  const index = new Int32Array(1);
  Object.defineProperty(index, "length", { value: 2 ** 28 });
  assert.throws(() => openExampleRows(64).spread(new Float32Array(64), index), {
    reason: "BATCH_TOO_LARGE",
  });
});
