import assert from "node:assert/strict";
import { test } from "node:test";
import { configProblem, layoutProblem } from "./suitable.ts";

const stated = { partitions: 2, replicas: 3, minInSyncReplicas: 2, retentionMs: 1 };
const layout = (...replicas: number[]) => ({
  partitionsCount: replicas.length,
  partitions: replicas.map((count) => ({ replicas: Array.from({ length: count }, (_, n) => n) })),
});
const config = (more: Record<string, string>) =>
  new Map(Object.entries({ "min.insync.replicas": "2", "max.message.bytes": "3000000", ...more }));

test("a topic that has as much as is stated, or more, is suitable", () => {
  assert.equal(layoutProblem(layout(3, 4, 3), stated), undefined);
  assert.equal(configProblem(config({}), stated), undefined);
  assert.equal(configProblem(undefined, stated), undefined);
});

test("what a topic lacks is named with the remedy", () => {
  assert.match(layoutProblem(layout(3), stated) ?? "", /1 partitions where 2 are stated: add some/);
  assert.match(
    layoutProblem(layout(3, 2), stated) ?? "",
    /2 replicas where 3 are stated: reassign/,
  );
  for (const [name, value, problem] of [
    ["min.insync.replicas", "1", /1 replicas in sync where 2 are stated: raise its min\.insync/],
    ["max.message.bytes", "1000", /batches of 1000 bytes .* raise its max\.message\.bytes/],
    ["cleanup.policy", "compact,delete", /is compacted.* set its cleanup\.policy/],
  ] as const) {
    assert.match(configProblem(config({ [name]: value }), stated) ?? "", problem);
  }
});
