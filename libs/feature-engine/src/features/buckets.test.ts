import assert from "node:assert/strict";
import { test } from "node:test";
import { bucketKey, openPacker } from "./buckets.ts";

test("a key's values lie in the row that its key names, and a row has at most 32 KiB of them", () => {
  const packer = openPacker();
  const keys = Array.from({ length: 3_000 }, (_, i) => [`household ${i % 3}`, `ü${i}`]);
  // Three bytes a character.
  const json = JSON.stringify(["☂".repeat(20)]);
  for (const key of keys) packer.add(key, json);
  const { rows, buckets } = packer.rows();
  for (const entries of rows.values()) {
    const bytes = Buffer.byteLength(entries.join());
    assert.ok(bytes <= 32 << 10, `${bytes} bytes`);
  }
  assert.equal(buckets, 4, "as few as will do");
  for (const key of keys) {
    const { row, entry } = bucketKey(key, buckets);
    assert.ok(rows.get(row)?.includes(`${JSON.stringify(entry)}:${json}`), key.join());
  }
});
