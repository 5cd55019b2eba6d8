import { openPool } from "@heddle/lane";
import assert from "node:assert/strict";
import { test } from "node:test";
import { layOut } from "../shard/shard-layout.ts";
import { openKeyLists } from "./key-lists.ts";

const declaration = { run: "run", fence: 1, lag: 0, tables: [], dense: [] } as const;
const ids = BigUint64Array.from({ length: 2_000 }, (_, at) => BigInt(at));

function open(shards = 2) {
  const pool = openPool({ heldBytesMax: 1 << 20, wipes: true });
  return { pool, lists: openKeyLists(layOut(declaration, shards), pool) };
}

test("a list is split once for all calls of its step, and its memory serves the next one", async () => {
  const { pool, lists } = open();
  const pulled = await lists.with(ids, async (parts) => parts);
  assert.equal(pulled.flatMap((part) => [...part.ids]).length, ids.length);
  assert.ok(pulled.every((part) => part.ids.buffer !== ids.buffer));
  assert.equal(await lists.with(ids, async (parts) => parts, true), pulled);
  assert.ok(pool.heldBytes >= ids.byteLength);
  await lists.with(ids.slice(), async (parts) => {
    assert.equal(pool.heldBytes, 0);
    assert.equal(parts.flatMap((part) => [...part.ids]).length, ids.length);
  });
});

test("memory that a call may still read is not used again: of one under way, and of one that failed", async () => {
  const { pool, lists } = open(1);
  const late = Promise.withResolvers<void>();
  const pulling = lists.with(ids, async ([part]) => {
    await late.promise;
    return part?.ids[7];
  });
  await lists.with(ids, async () => undefined, true);
  assert.equal(pool.heldBytes, 0);
  late.resolve();
  assert.equal(await pulling, 7n);
  assert.ok(pool.heldBytes > 0);

  const held = pool.heldBytes;
  const others = ids.slice();
  await assert.rejects(
    lists.with(others, () => Promise.reject(new Error("lost"))),
    /lost/,
  );
  await lists.with(others, async () => undefined, true);
  assert.ok(pool.heldBytes < held);
});

test("where nothing carries ids they are not copied", async () => {
  const lists = openKeyLists(layOut(declaration, 1, true), undefined);
  await lists.with(ids, async ([part]) => {
    assert.equal(part?.ids.buffer, ids.buffer);
  });
});
