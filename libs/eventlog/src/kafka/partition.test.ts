import assert from "node:assert/strict";
import { test } from "node:test";
import { partitionOf } from "./partition.ts";

test("a key's partition is the one that Kafka's own producers choose", () => {
  // Hashes that Apache Kafka's own tests state (UtilsTest.testMurmur2).
  const hashes = new Map([
    ["21", -973_932_308],
    ["foobar", -790_332_482],
    ["a-little-bit-long-string", -985_981_536],
    ["a-little-bit-longer-string", -1_486_304_829],
    ["lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971],
    ["abc", 479_470_107],
  ]);
  for (const [key, hash] of hashes) {
    assert.equal(partitionOf(key, 2 ** 31), hash & 0x7fffffff, key);
    assert.equal(partitionOf(key, 12), (hash & 0x7fffffff) % 12, key);
  }
});
