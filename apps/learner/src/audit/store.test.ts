import assert from "node:assert/strict";
import { test } from "node:test";
import { tinyDefinition } from "../fixtures/data.ts";
import { openStore } from "./store.ts";
import { parametersOf } from "../parameters.ts";

test("an audit admits and expires rows as shards do, by the numbers of its updates", () => {
  const rows = { admission: { count: 2 }, expiry: { steps: 3 } };
  const parameters = parametersOf(tinyDefinition({ rows }));
  const store = openStore({ ...parameters, dense: [] });
  const read = (): Float32Array => store.pull(BigUint64Array.of(7n)).rows["embeddings"]!;
  const push = (id: bigint): void =>
    store.push(BigUint64Array.of(id), {
      rows: { embeddings: new Float32Array(4).fill(1) },
      dense: {},
    });
  const drawn = read();
  push(7n);
  assert.deepEqual(read(), drawn, "it was counted");
  push(7n);
  assert.notDeepEqual(read(), drawn);
  for (let i = 0; i < 3; i++) push(9n);
  assert.deepEqual(read(), drawn, "it expired");
});
