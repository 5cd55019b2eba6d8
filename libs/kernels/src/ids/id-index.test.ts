import assert from "node:assert/strict";
import { test } from "node:test";
import { createIndex } from "./id-index.ts";
import { halvesOf } from "./ids.ts";

test("ids are copied in the order of their numbers, with a pause now and then", () => {
  const ids = BigUint64Array.from(
    new Set(Array.from({ length: 50_000 }, (_, i) => BigInt(i * 7_919) << 13n)),
  );
  const index = createIndex(0);
  const halves = halvesOf(ids);
  for (let i = 0; i < halves.length; i += 2) {
    assert.equal(index.findOrAdd(halves[i] as number, halves[i + 1] as number), i / 2);
  }
  const out = new BigUint64Array(index.rows);
  const pauses = [...index.copyIds(out)].length;
  assert.deepEqual(out, ids);
  assert.ok(pauses >= 3, `${pauses} pauses`);
});
