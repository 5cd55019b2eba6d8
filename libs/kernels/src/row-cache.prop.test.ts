import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { openRowCache, type RowCache } from "./row-cache.ts";

const dimension = 3;
/** Few ids, that meet often, among them 0, which an empty cell has, and ids that differ only in their upper half. */
const id = fc.oneof(
  fc.bigInt({ min: 0n, max: 20n }),
  fc.bigInt({ min: 0n, max: 20n }).map((high) => high << 32n),
);
const list = fc.uniqueArray(id, { maxLength: 30 }).map((ids) => BigUint64Array.from(ids));
const acts = fc.array(
  fc.record({ kind: fc.constantFrom("keep", "take"), ids: list, state: fc.nat(9), age: fc.nat(4) }),
  { maxLength: 40 },
);
/** The row of an id as of a state: no two are alike. */
const rowOf = (one: bigint, state: number): number[] => [
  Number(one & 0xffffffffn) + state / 16,
  Number(one >> 32n),
  state,
];
const rowsOf = (ids: BigUint64Array, state: number): Float32Array =>
  Float32Array.from([...ids].flatMap((one) => rowOf(one, state)));

function takenFrom(cache: RowCache, ids: BigUint64Array, since: number) {
  const out = new Float32Array(ids.length * dimension);
  const { positions, oldest } = cache.take(ids, since, out);
  return { positions: [...positions], oldest, out };
}

test("what is taken is what was kept last, and no older than asked for; with room for all, all of that", () => {
  for (const bytesMax of [1, 2_000, 1 << 20]) {
    fc.assert(
      fc.property(acts, (all) => {
        const cache = openRowCache(dimension, bytesMax);
        /** The newest state that each id was kept at: an answer that comes late changes nothing. */
        const kept = new Map<bigint, number>();
        for (const { kind, ids, state, age } of all) {
          if (kind === "keep") {
            cache.keep(ids, rowsOf(ids, state), state);
            for (const one of ids) kept.set(one, Math.max(state, kept.get(one) ?? 0));
            continue;
          }
          const since = state - age;
          const { positions, oldest, out } = takenFrom(cache, ids, since);
          const states = positions.map((at, n) => {
            const got = out.subarray(n * dimension, (n + 1) * dimension);
            const one = ids[at] as bigint;
            // A row that lost its place may come again with an older answer.
            if (bytesMax > 2_000) assert.equal(got[2], kept.get(one));
            assert.deepEqual([...got], rowOf(one, got[2] as number).map(Math.fround));
            assert.ok((got[2] as number) >= since);
            return got[2] as number;
          });
          assert.equal(oldest, Math.min(Infinity, ...states));
          assert.deepEqual(
            positions,
            [...positions].sort((a, b) => a - b),
          );
          if (bytesMax < 1 << 20) continue;
          const young = [...ids].flatMap((one, at) =>
            (kept.get(one) ?? -1) >= since && kept.has(one) ? [at] : [],
          );
          assert.deepEqual(positions, young);
        }
      }),
    );
  }
});

test("of a set's four rows the one that was read first goes first", () => {
  // Room for one set.
  const cache = openRowCache(dimension, 1);
  const five = [3n, 1n, 4n, 1_000n, 5n];
  five.forEach((one, state) => {
    const ids = BigUint64Array.of(one);
    cache.keep(ids, rowsOf(ids, state), state);
  });
  assert.deepEqual(takenFrom(cache, BigUint64Array.from(five), 0).positions, [1, 2, 3, 4]);
  cache.clear();
  assert.deepEqual(takenFrom(cache, BigUint64Array.from(five), 0).positions, []);
});

test("memory does not grow, and more ids than a piece are taken piece by piece", () => {
  const cache = openRowCache(dimension, 1 << 20);
  const before = cache.bytes;
  assert.ok(before < (1 << 20) + (1 << 17), "and what is staged");
  const ids = BigUint64Array.from({ length: 9_000 }, (_, i) => BigInt(i));
  cache.keep(ids, rowsOf(ids, 7), 7);
  const { positions, oldest, out } = takenFrom(cache, ids, 7);
  assert.ok(positions.length > 8_500, String(positions.length));
  assert.equal(oldest, 7);
  positions.forEach((at, n) => {
    assert.deepEqual(
      [...out.subarray(n * dimension, (n + 1) * dimension)],
      rowOf(BigInt(at), 7).map(Math.fround),
    );
  });
  assert.equal(cache.bytes, before);
  assert.throws(() => cache.keep(ids, new Float32Array(3), 8), { reason: "WRONG_SIZE" });
  assert.throws(() => openRowCache(dimension, 2 ** 33), { reason: "NO_MEMORY_FOR_CACHE" });
});
