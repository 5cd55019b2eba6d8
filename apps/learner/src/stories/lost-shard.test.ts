import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import type { ModelDefinition } from "@heddle/sdk";
import { sample } from "@heddle/testkit";
import { attempt } from "../fixtures/attempt.ts";
import { memoryReader, tinyDefinition } from "../fixtures/data.ts";
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
  const { progress, layers } = await lastSnapshot(world);
  const summary = world.remembered.versions.get(version)?.training;
  return { progress, summary, lives: gang.lives, parameters: layers[0]?.files[0]?.sha256 };
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

const skip = existsSync("/proc/self/stat")
  ? false
  : "nothing here says whether a process stands still";

/** Deaths, of which each is what came before for one learner with one update in flight and a snapshot of each. */
const cuts = [
  "parameter-server.push.after-apply@5",
  "parameter-server.freeze.after-copy@3",
  "parameter-server.snapshot.before-write@3",
  "parameter-server.snapshot.after-write@3",
];
for (const point of sample(cuts, 2)) {
  test(
    `a shard that is only cut off at ${point}, and goes on when another has its place, changes nothing more than one that died`,
    {
      skip,
    },
    async () => {
      const definition = tinyDefinition({
        snapshotSteps: 1,
        mode: { kind: "bounded", staleness: 0, inFlight: 1 },
      });
      const ends = [];
      for (const how of ["", " SIGSTOP"]) {
        const { summary, lives, ...end } = await train([[point + how], []], 1, definition);
        assert.equal(lives, 1);
        const losses = summary?.lostShards.map(({ shard, snapshotStep, lostUpdates }) => ({
          ...{ shard, snapshotStep, lostUpdates },
        }));
        ends.push({ ...end, losses, staleness: summary?.staleness });
      }
      assert.deepEqual(ends[1], ends[0]);
    },
  );
}

test(
  "cut off and back while two learners have four updates in flight, it is nobody's shard any more",
  { skip },
  async () => {
    const deaths = [["parameter-server.push.after-apply@5 SIGSTOP"], []];
    const { progress, summary, lives } = await train(deaths, 2);
    assert.equal(lives, 1);
    assert.deepEqual([progress.step, progress.examples], [updates, examples]);
    const [lost, ...more] = summary?.lostShards ?? [];
    assert.deepEqual([lost?.shard, more.length], [0, 0]);
    assert.ok(Number(lost?.lostUpdates) <= snapshotSteps, String(lost?.lostUpdates));
    const applied = (summary?.staleness ?? []).reduce((a, b) => a + Number(b), 0);
    const own = updates - Number(lost?.snapshotStep) - Number(lost?.lostUpdates);
    assert.equal(applied, updates + own, "each update counts once on each shard");
    assert.ok((summary?.inFlightMax ?? 9) <= 4);
  },
);

for (const [what, shortTerm] of [
  ["with", {}],
  ["without", undefined],
] as const) {
  test(`a warm start ${what} a short-term model that loses a shard before its first cut begins there again`, async () => {
    const definition = { ...bounded(), ...(shortTerm && { shortTerm }) };
    await using world = await openWorld(definition, 1);
    const { version: parentVersion } = await attempt(world.input(1), memoryReader());
    await using gang = await openLossyGang(world, [["parameter-server.push.after-apply@1"], []]);
    const input = { ...world.input(2), shards: gang.addresses, parentVersion };
    const { version } = await attempt(input, memoryReader());
    assert.equal(gang.lives, 1, "it died");
    const training = world.remembered.versions.get(version)?.training;
    assert.deepEqual([training?.steps, training?.examples], [BigInt(updates), BigInt(examples)]);
    const [lost, ...more] = training?.lostShards ?? [];
    assert.deepEqual([lost?.shard, lost?.snapshotStep, more.length], [0, 0n, 0]);
    assert.ok(Number(lost?.lostUpdates) <= snapshotSteps, String(lost?.lostUpdates));
    // It began with what its parent knew: a mean over its examples far below that of a model that knows nothing.
    const first = world.remembered.versions.get(parentVersion)?.training;
    assert.ok((training?.meanLoss ?? 9) < (first?.meanLoss ?? 0));
  });
}
