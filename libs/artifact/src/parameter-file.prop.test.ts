import { isHeddleError } from "@heddle/base";
import { shardOf } from "@heddle/kernels";
import fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import { mergeParameters } from "./merge.ts";
import { decodeParameters, encodeParameters, type ParameterState } from "./parameter-file.ts";

const dimension = 2;

/** The rows of those ids, each a pure function of its id. */
function stateOf(ids: readonly bigint[], dense: ParameterState["dense"] = {}): ParameterState {
  const sorted = BigUint64Array.from(ids).sort();
  const values = Float32Array.from([...sorted].flatMap((id) => [Number(id), -Number(id)]));
  const slots = values.map((x) => x * x + 1);
  return { tables: { t: { ids: sorted, values, slots, dimension } }, dense };
}

const someIds = fc.uniqueArray(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { maxLength: 40 });
const bias = { values: Float32Array.of(1, 2), slots: Float32Array.of(3, 4) };

test("parameter files of any number of shards join to the bytes of one, and part again", () => {
  fc.assert(
    fc.property(someIds, fc.integer({ min: 1, max: 5 }), (ids, shards) => {
      const whole = stateOf(ids, { bias });
      const parts = Array.from({ length: shards }, (_, shard) =>
        stateOf(
          ids.filter((id) => shardOf(id, shards) === shard),
          shard === 0 ? { bias } : {},
        ),
      );
      const files = parts.map(encodeParameters);
      const joined = mergeParameters(files.map(decodeParameters).reverse());
      assert.deepEqual(encodeParameters(joined), encodeParameters(whole));
      const last = shards - 1;
      const own = mergeParameters([whole], (id) => shardOf(id, shards) === last);
      assert.deepEqual(own.tables, parts[last]?.tables);
    }),
  );
});

test("parts that share an id or a dense parameter, or differ in dimension, are refused", () => {
  const refused = (...parts: ParameterState[]): void =>
    assert.throws(
      () => mergeParameters(parts),
      (error) => isHeddleError(error, "PARTS_OVERLAP"),
    );
  refused(stateOf([1n, 2n]), stateOf([2n, 3n]));
  refused(stateOf([], { bias }), stateOf([], { bias }));
  const rows = {
    ids: BigUint64Array.of(9n),
    values: Float32Array.of(1),
    slots: Float32Array.of(1),
  };
  refused(stateOf([1n]), { tables: { t: { ...rows, dimension: 1 } }, dense: {} });
});
