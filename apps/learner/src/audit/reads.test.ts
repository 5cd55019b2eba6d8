import assert from "node:assert/strict";
import { test } from "node:test";
import { tinyDefinition } from "../fixtures/data.ts";
import { parametersOf } from "../parameters.ts";
import { agedReads } from "./reads.ts";
import { openStore } from "./store.ts";

test("a row is as it was when it was read, until it is too old, whatever else an update reads", () => {
  const parameters = { ...parametersOf(tinyDefinition()), dense: [] };
  const store = openStore(parameters);
  const reads = agedReads(store, parameters, 2);
  const push = (id: bigint): void => {
    const rows = { embeddings: new Float32Array(4).fill(1) };
    store.push(BigUint64Array.of(id), { rows, dense: {} });
  };
  const rowOf = (ids: readonly bigint[], at: number, anew = false) => {
    const { read, state } = reads(BigUint64Array.from(ids), anew);
    return { row: read.rows["embeddings"]!.slice(at * 4, (at + 1) * 4), state };
  };
  const now = (id: bigint) => store.pull(BigUint64Array.of(id)).rows["embeddings"]!;
  const first = rowOf([7n], 0);
  assert.deepEqual(first, { row: now(7n), state: 0 });
  for (const pushed of [1, 2]) {
    push(7n);
    assert.deepEqual(rowOf([BigInt(90 + pushed), 7n], 1), first, `${pushed} old`);
  }
  assert.deepEqual(rowOf([7n], 0, true), { row: now(7n), state: 2 }, "anew");
  push(7n);
  push(9n);
  const kept = rowOf([9n, 7n], 1);
  assert.equal(kept.state, 2, "the row that was read anew is kept");
  assert.notDeepEqual(kept.row, now(7n));
  push(9n);
  // 9 was read at 4, 7 at 2.
  assert.deepEqual(rowOf([9n, 7n], 1), { row: now(7n), state: 4 });
});
