import assert from "node:assert/strict";
import { test } from "node:test";
import { openOwnUpdates } from "./own-updates.ts";

test("a learner says which of its updates a shard has not acknowledged, and counts each push once", () => {
  const updates = openOwnUpdates();
  for (const update of [1, 3, 5]) {
    updates.begin(update);
    updates.pulled(update, 0);
  }
  const notes = { lossSum: 2, learnerCpuSeconds: 0.5 };
  updates.acknowledged(3, notes);
  // Another shard refused it: it is pulled and pushed again, and this one says that it has it.
  updates.begin(3);
  updates.pulled(3, 7);
  assert.deepEqual([updates.lifeOf(3), updates.lifeOf(1)], [7, 0]);
  updates.acknowledged(3, notes);
  assert.deepEqual(updates.told(), { ...notes, begun: 5, open: [1, 5] });
});
