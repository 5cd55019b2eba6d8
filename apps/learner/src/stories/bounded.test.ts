import assert from "node:assert/strict";
import { test } from "node:test";
import { type Clock, systemClock } from "@heddle/base";
import type { ModelDefinition } from "@heddle/sdk";
import { attempt } from "../fixtures/attempt.ts";
import { memoryReader, tinyDefinition } from "../fixtures/data.ts";
import { loseGang, trainTogether } from "../fixtures/gang.ts";
import { lastSnapshot } from "../fixtures/last-snapshot.ts";
import { moduleDefinition } from "../fixtures/module.ts";
import { startTestShards } from "../fixtures/shards.ts";
import { openWorld, type World } from "../fixtures/world.ts";

type Of = (training?: Partial<ModelDefinition["training"]>) => ModelDefinition;
const bounded = (staleness: number, inFlight: number, of: Of = tinyDefinition): ModelDefinition =>
  of({ mode: { kind: "bounded", staleness, inFlight } });
const models: readonly (readonly [string, Of])[] = [
  ["", tinyDefinition],
  [
    ", with a short-term model beside, too",
    (training) => ({ ...tinyDefinition(training), shortTerm: { share: 0.3 } }),
  ],
  [", with a network of the model's own, too", moduleDefinition],
];
const updates = 10;
const examples = 134;

const summaryOf = (world: World, version: string) =>
  world.remembered.versions.get(version)?.training;
const sum = (numbers: readonly bigint[]): number => numbers.reduce((a, b) => a + Number(b), 0);

for (const [too, of] of models) {
  test(`one learner with one update in flight learns what exact mode does${too}`, async () => {
    const ends = [];
    for (const definition of [of(), bounded(0, 1, of)]) {
      await using world = await openWorld(definition, 2);
      const { version } = await attempt(world.input(1), memoryReader());
      const { layers, progress } = await lastSnapshot(world);
      const { staleness } = summaryOf(world, version) ?? {};
      ends.push({ parameters: layers[0]?.files[0]?.sha256, progress, staleness });
    }
    const [exact, one] = ends;
    assert.equal(one?.parameters, exact?.parameters);
    assert.deepEqual(one?.progress, exact?.progress);
    assert.deepEqual([one?.staleness, exact?.staleness], [[20n], []]);
  });

  test(`two learners on two shards train each update once, never beyond the bounds, and say what overlapped${too}`, async () => {
    await using world = await openWorld(bounded(2, 4, of), 2);
    const version = await trainTogether(world.input(1), 2);
    const { progress } = await lastSnapshot(world);
    assert.deepEqual([progress.step, progress.examples], [updates, examples]);
    assert.ok(progress.lossSum / examples > 0.3 && progress.lossSum / examples < 1);
    const summary = summaryOf(world, version);
    const { staleness, inFlightMax, staleRefused } = summary ?? {};
    assert.equal(staleness?.length, 3, "from 0 to the bound");
    assert.equal(sum(staleness ?? []), updates * 2, "on each shard");
    assert.ok(inFlightMax !== undefined && inFlightMax >= 1 && inFlightMax <= 4);
    assert.equal(typeof staleRefused, "bigint");
    assert.equal(summary?.cpuSeconds, 3, "of two learners and two shards");
  });
}

test("the rate of a definition is the shards': so many updates begin in a second, evenly spaced", async () => {
  const mode = { kind: "bounded", staleness: 4, inFlight: 4, pushesPerSecond: 8 } as const;
  await using world = await openWorld(tinyDefinition({ mode }), 0);
  const waits: number[] = [];
  /** Stands still, and nobody has to wait. */
  const clock: Clock = {
    ...{ ...systemClock, monotonicMs: () => 0 },
    sleep: async (ms) => void waits.push(ms),
  };
  await using gang = await startTestShards(1, world.objects, "unix", clock);
  await attempt({ ...world.input(1), shards: gang.addresses }, memoryReader());
  assert.deepEqual(
    waits,
    Array.from({ length: updates - 1 }, (_, n) => (n + 1) * 125),
  );
});

test("rows of earlier pulls are computed on within the bound, also after a learner was killed and by grpc", async () => {
  const mode = { kind: "bounded", staleness: 4, inFlight: 2, rowAge: 3 } as const;
  await using world = await openWorld(tinyDefinition({ mode }), 2);
  const end = await loseGang(world.input(1), { learners: 2, dies: 1 }, "learner.step.after-push@3");
  assert.deepEqual(end, [null, "SIGKILL"]);
  await world.loseShards();
  const version = await trainTogether({ ...world.input(2), wire: "grpc" }, 2);
  const { progress } = await lastSnapshot(world);
  assert.deepEqual([progress.step, progress.examples], [updates, examples]);
  const { staleness = [], movedBytes = {} } = summaryOf(world, version) ?? {};
  assert.equal(staleness.length, 5, "from 0 to the bound");
  assert.ok(sum(staleness.slice(1)) > 0, "some updates computed on older rows");
  assert.ok((movedBytes["sparedByCache"] ?? 0n) > 0n);
  assert.ok(progress.lossSum / examples > 0.3 && progress.lossSum / examples < 1);
});

/**
 * Which learner of two is killed after which of its updates, cuts that may be the last recorded, and the next gang's numbers of learners and
 * shards. Neither update is the last of all: what a process sent before its death may still be applied.
 */
for (const [dies, after, cuts, learners, shards] of [
  // Update 9, beyond the cut after 8, which waited until that after 6 was recorded.
  [0, 5, [6, 8], 3, 1],
  // Update 8.
  [1, 4, [4, 6, 8], 1, 3],
] as const) {
  test(`learner ${dies} killed after its update ${after}, ${learners} on ${shards} shards go on, with one interval lost and what went on while it was written`, async () => {
    await using world = await openWorld(bounded(4, 4), 2);
    const end = await loseGang(
      world.input(1),
      { learners: 2, dies },
      `learner.step.after-push@${after}`,
    );
    assert.deepEqual(end, [null, "SIGKILL"]);
    await world.loseShards(shards);
    const kept = await lastSnapshot(world);
    assert.ok(([...cuts] as number[]).includes(kept.progress.step), String(kept.progress.step));
    const version = await trainTogether(world.input(2), learners);
    const { progress } = await lastSnapshot(world);
    assert.deepEqual([progress.step, progress.examples], [updates, examples]);
    const summary = summaryOf(world, version);
    assert.equal(sum(summary?.staleness ?? []), (updates - kept.progress.step) * shards);
    assert.equal(Number(summary?.attemptExamples), examples - kept.progress.examples);
  });
}

test("more learners than updates in flight are refused", async () => {
  await using world = await openWorld(bounded(4, 2), 1);
  await assert.rejects(attempt({ ...world.input(1), learners: 3 }, memoryReader()), {
    reason: "TOO_MANY_LEARNERS",
    message: /3 learners cannot share the 2 updates in flight/,
  });
});
