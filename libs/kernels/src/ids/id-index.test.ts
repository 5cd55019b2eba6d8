import assert from "node:assert/strict";
import { test } from "node:test";
import { createIndex } from "./id-index.ts";
import { halvesOf } from "./ids.ts";

test("ids are added in their order, each once, with a pause now and then", () => {
  const ids = BigUint64Array.from({ length: 20_000 }, (_, i) => BigInt(i % 15_000) << 37n);
  const index = createIndex(0);
  const pauses = [...index.addAll(ids)].length;
  assert.ok(pauses >= 4, `${pauses} pauses`);
  assert.equal(index.rows, 15_000);
  const places = new Int32Array(ids.length);
  assert.equal(index.findAll(ids, places), 0);
  assert.deepEqual(
    places,
    Int32Array.from(ids, (_, i) => i % 15_000),
  );
});

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
