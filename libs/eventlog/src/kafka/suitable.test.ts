import assert from "node:assert/strict";
import { test } from "node:test";
import { configProblem, configsFor, layoutProblem } from "./suitable.ts";

const stated = { partitions: 2, replicas: 3, minInSyncReplicas: 2, retentionMs: 1 };
const layout = (...replicas: number[]) => ({
  partitionsCount: replicas.length,
  partitions: replicas.map((count) => ({ replicas: Array.from({ length: count }, (_, n) => n) })),
});
const config = (more: Record<string, string>) =>
  new Map(Object.entries({ "min.insync.replicas": "2", "max.message.bytes": "3000000", ...more }));

test("a topic that has as much as is stated, or more, is suitable", () => {
  assert.equal(layoutProblem(layout(3, 4, 3), stated), undefined);
  assert.equal(configProblem(config({}), stated, false), undefined);
  assert.equal(configProblem(undefined, stated, false), undefined);
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
    assert.match(configProblem(config({ [name]: value }), stated, false) ?? "", problem);
  }
});

test("a compacted topic keeps the newest of each key, and what gave way for long enough to be seen", () => {
  const made = configsFor(stated, true);
  assert.equal(made["cleanup.policy"], "compact");
  const asMade = Object.fromEntries(
    Object.entries(made).map(([name, value]) => [name, `${value}`]),
  );
  assert.equal(configProblem(config(asMade), stated, true), undefined);
  for (const [name, value, problem] of [
    [
      "cleanup.policy",
      "compact,delete",
      /would lose the newest record of a key: set it to compact/,
    ],
    ["cleanup.policy", "delete", /would lose the newest record of a key/],
    ["delete.retention.ms", "86400000", /has delete.retention.ms 86400000 where 604800000 are/],
    ["min.compaction.lag.ms", "0", /has min.compaction.lag.ms 0 where 3600000 are needed: raise/],
  ] as const) {
    assert.match(configProblem(config({ ...asMade, [name]: value }), stated, true) ?? "", problem);
  }
});
