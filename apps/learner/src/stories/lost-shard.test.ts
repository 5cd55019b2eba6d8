import assert from "node:assert/strict";
import { test } from "node:test";
import type { ModelDefinition } from "@heddle/sdk";
import { sample } from "@heddle/testkit";
import { tinyDefinition } from "../fixtures/data.ts";
import { trainTogether } from "../fixtures/gang.ts";
import { type Deaths, openLossyGang } from "../fixtures/lossy-gang.ts";
import { lastSnapshot } from "../fixtures/last-snapshot.ts";
import { openWorld } from "../fixtures/world.ts";

const updates = 10;
const examples = 134;
/** A loss may cost this many updates. */
const snapshotSteps = 4;
const bounded = (inFlight = 4): ModelDefinition =>
  tinyDefinition({ snapshotSteps, mode: { kind: "bounded", staleness: 4, inFlight } });

/** Trains with learners on shards that die, and looks at what became of it. */
async function train(deaths: Deaths, learners: number, definition = bounded()) {
  await using world = await openWorld(definition, 0);
  await using gang = await openLossyGang(world, deaths);
  const version = await trainTogether({ ...world.input(1), shards: gang.addresses }, learners);
  const { progress } = await lastSnapshot(world);
  const summary = world.remembered.versions.get(version)?.training;
  return { progress, summary, lives: gang.lives };
}

/** One death each, at every durable step of a shard and around it. */
const points = [
  "parameter-server.push.after-apply@1",
  "parameter-server.push.after-apply@5",
  "parameter-server.freeze.after-copy@1",
  "parameter-server.freeze.after-copy@2",
  "parameter-server.snapshot.before-write@1",
  "parameter-server.snapshot.after-write@2",
  "parameter-server.freeze.after-copy@5",
  "parameter-server.snapshot.after-write@5",
];
for (const [n, point] of sample([...points.entries()], 2)) {
  const [learners, shards] = [1 + (n % 2), 1 + ((n >> 1) % 2)];
  test(`a shard killed at ${point} is restored alone, and costs one interval at most (${learners} learners, ${shards} shards)`, async () => {
    const deaths = Array.from({ length: shards }, (_, shard) => (shard === 0 ? [point] : []));
    const { progress, summary, lives } = await train(deaths, learners);
    assert.equal(lives, 1, "it died");
    assert.deepEqual([progress.step, progress.examples], [updates, examples]);
    assert.ok(progress.lossSum / examples > 0.3 && progress.lossSum / examples < 1);
    const [lost, ...more] = summary?.lostShards ?? [];
    assert.equal(more.length, 0);
    assert.equal(lost?.shard, 0);
    assert.ok(Number(lost?.lostUpdates) <= snapshotSteps, String(lost?.lostUpdates));
    const applied = (summary?.staleness ?? []).reduce((a, b) => a + Number(b), 0);
    const own = updates - Number(lost?.snapshotStep) - Number(lost?.lostUpdates);
    assert.equal(applied, updates * (shards - 1) + own, "each update counts once on each shard");
    assert.ok((summary?.inFlightMax ?? 9) <= 4);
  });
}

test("a shard that is lost again while it is restored, and another beside it, cost no more than an interval each", async () => {
  const deaths = [
    [
      "parameter-server.push.after-apply@6",
      "parameter-server.restore.after-read@1",
      "parameter-server.restore.after-finish@1",
    ],
    ["parameter-server.push.after-apply@6"],
  ];
  const { progress, summary, lives } = await train(deaths, 2);
  assert.equal(lives, 4);
  assert.deepEqual([progress.step, progress.examples], [updates, examples]);
  const lost = summary?.lostShards ?? [];
  assert.deepEqual(lost.map(({ shard }) => shard).sort(), [0, 1], "each served again once");
  for (const { lostUpdates } of lost) assert.ok(Number(lostUpdates) <= snapshotSteps);
});

test("with a cut at each update nothing goes on before it is recorded, and a loss costs one update", async () => {
  const definition = tinyDefinition({
    snapshotSteps: 1,
    mode: { kind: "bounded", staleness: 1, inFlight: 2 },
  });
  const { progress, summary } = await train(
    [["parameter-server.push.after-apply@5"]],
    1,
    definition,
  );
  assert.equal(progress.step, updates);
  const [lost] = summary?.lostShards ?? [];
  assert.deepEqual([lost?.snapshotStep, Number(lost?.lostUpdates) <= 1], [4n, true]);
});

test("rows that were read from a lost process are not computed on, and training goes on", async () => {
  const mode = { kind: "bounded", staleness: 4, inFlight: 2, rowAge: 3 } as const;
  const definition = tinyDefinition({ snapshotSteps, mode });
  const deaths = [["parameter-server.push.after-apply@5"], []];
  const { progress, summary, lives } = await train(deaths, 2, definition);
  assert.equal(lives, 1, "it died");
  assert.deepEqual([progress.step, progress.examples], [updates, examples]);
  assert.equal(summary?.lostShards.length, 1);
  assert.ok((summary?.movedBytes["sparedByCache"] ?? 0n) > 0n);
});
