import assert from "node:assert/strict";
import { test } from "node:test";
import { isHeddleError } from "@heddle/base";
import fc from "fast-check";
import { encodeParameters, mergeParameters, type ParameterState } from "./index.ts";
import { decodeParameters } from "./parameter-file.ts";

const dimension = 2;

/** A state of one table whose rows are functions of their ids, and dense parameters of some names. */
function stateOf(ids: readonly bigint[], dense: readonly string[]): ParameterState {
  const sorted = BigUint64Array.from(ids).sort();
  const spread = (salt: number): Float32Array =>
    Float32Array.from(
      { length: sorted.length * dimension },
      (_, i) => Number((sorted[Math.floor(i / dimension)] ?? 0n) % 1_000n) + salt + (i % dimension),
    );
  const rows = { ids: sorted, values: spread(1), slots: spread(2), dimension };
  const versions = Uint32Array.from(sorted, (id) => Number(id % (2n ** 32n - 2n)));
  const vector = (name: string) => ({
    values: Float32Array.of(name.length),
    slots: Float32Array.of(2),
  });
  return {
    tables: { "wide/rows": rows, aged: { ...rows, versions } },
    clock: 12,
    dense: Object.fromEntries(dense.map((name) => [name, vector(name)])),
  };
}

const idLists = fc.uniqueArray(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { maxLength: 30 });

test("a file gives back the state that was written", async () => {
  const names = fc.uniqueArray(fc.stringMatching(/^[a-z/]{1,5}$/));
  await fc.assert(
    fc.asyncProperty(idLists, names, async (ids, dense) => {
      const state = stateOf(ids, dense);
      assert.deepEqual(await decodeParameters(encodeParameters(state)), state);
    }),
  );
});

test("however ids are spread over parts, and in whatever order, the merged file has the same bytes", () => {
  fc.assert(
    fc.property(
      idLists,
      fc.integer({ min: 1, max: 4 }),
      fc.infiniteStream(fc.nat()),
      (ids, parts, where) => {
        const lists: bigint[][] = Array.from({ length: parts }, () => []);
        for (const id of ids) lists[(where.next().value as number) % parts]?.push(id);
        const states = lists.map((list, i) => stateOf(list, i === 0 ? ["bias"] : []));
        const whole = encodeParameters(stateOf(ids, ["bias"]));
        assert.deepEqual(encodeParameters(mergeParameters(states)), whole);
        assert.deepEqual(encodeParameters(mergeParameters(states.toReversed())), whole);
        const even = mergeParameters(states, (id) => id % 2n === 0n);
        assert.deepEqual(
          even.tables,
          stateOf(
            ids.filter((id) => id % 2n === 0n),
            [],
          ).tables,
        );
      },
    ),
  );
});

test("parts that cannot be of one snapshot are refused", () => {
  const one = stateOf([5n], []);
  const other = {
    dense: {},
    clock: 12,
    tables: { "wide/rows": { ...stateOf([6n], []).tables["wide/rows"]!, dimension: 1 } },
  };
  for (const parts of [
    [one, one],
    [one, other],
    [one, { tables: {}, dense: {}, clock: 13 }],
    [stateOf([], ["b"]), stateOf([], ["b"])],
  ]) {
    assert.throws(
      () => mergeParameters(parts),
      (error) => isHeddleError(error, "PARTS_OVERLAP"),
    );
  }
});

test("a truncated or changed file is reported", async () => {
  const bytes = encodeParameters(stateOf([1n, 2n], ["bias"]));
  for (const bad of [bytes.subarray(0, bytes.length - 1), bytes.with(bytes.length - 1, 255)]) {
    await assert.rejects(decodeParameters(bad), { code: "DATA_LOSS" });
  }
});
