import assert from "node:assert/strict";
import { test } from "node:test";
import { lostShardsLine } from "./lost-shards.ts";

test("each shard that died is named, with how long it was away and what is gone with it", () => {
  const lost = { shard: 1, lostTimeMs: 0n, seconds: 3.21, snapshotStep: 1_400n, lostUpdates: 12n };
  assert.equal(
    lostShardsLine({ lostShards: [lost, { ...lost, shard: 0, lostUpdates: 0n }] }),
    "shard 1 died and served again 3.2 s later, as it was at step 1,400, without 12 updates; " +
      "shard 0 died and served again 3.2 s later, as it was at step 1,400, without 0 updates",
  );
});

test("a training that lost none says nothing", () => {
  assert.equal(lostShardsLine({ lostShards: [] }), undefined);
  assert.equal(lostShardsLine(undefined), undefined);
});
