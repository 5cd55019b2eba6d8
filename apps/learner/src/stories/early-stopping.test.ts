import assert from "node:assert/strict";
import { before, test } from "node:test";
import { sample } from "@heddle/testkit";
import { attempt } from "../fixtures/attempt.ts";
import { memoryReader, tinyDefinition } from "../fixtures/data.ts";
import { loseGang, trainTogether, undisturbed } from "../fixtures/gang.ts";
import { lastSnapshot } from "../fixtures/last-snapshot.ts";
import { openWorld } from "../fixtures/world.ts";

/** Ten steps in three partitions; a fall of the loss by 9 is asked for, so that the first cut stays the best one. */
const definitionOf = (lag: 0 | 1, patience = 2) =>
  tinyDefinition({
    ...{ lag, microBatches: 3, snapshotSteps: 2 },
    earlyStopping: { patience, minDelta: 9 },
  });

const expected = new Map<0 | 1, string>();
before(async () => {
  for (const lag of [0, 1] as const) expected.set(lag, await undisturbed(definitionOf(lag), 1, 1));
});

test("a training stops at the cut at which its patience ends, and says where, why and what it left", async () => {
  await using world = await openWorld(definitionOf(0), 2);
  const { version } = await attempt(world.input(1), memoryReader());
  const { progress } = await lastSnapshot(world);
  assert.equal(progress.step, 6);
  assert.deepEqual(progress.judged?.best.step, 2);
  const training = world.remembered.versions.get(version)?.training;
  assert.equal(training?.steps, 6n);
  const { earlyStop } = training;
  assert.equal(earlyStop?.cutsSinceBest, 2);
  assert.equal(earlyStop.bestStep, 2n);
  assert.equal(earlyStop.minDelta, 9);
  assert.equal(earlyStop.partition, "8");
  assert.equal(earlyStop.untrainedExamples, 134n - training.examples);
  assert.ok(earlyStop.untrainedExamples > 0n);
  assert.ok(Math.abs(training.meanLoss * Number(training.examples) - progress.lossSum) < 1e-9);
});

test("one that loses no patience is trained to its end: of its bytes only its name differs", async () => {
  const { earlyStopping: _, ...without } = definitionOf(0).training;
  const ends = [];
  for (const training of [without, definitionOf(0, 9).training]) {
    await using world = await openWorld({ ...definitionOf(0), training }, 2);
    const { version } = await attempt(world.input(1), memoryReader());
    const { progress, layers } = await lastSnapshot(world);
    assert.equal(world.remembered.versions.get(version)?.training?.earlyStop, undefined);
    assert.equal(progress.step, 10);
    ends.push({ judged: progress.judged, parameters: layers[0]?.files[0]?.sha256 });
  }
  assert.equal(ends[1]?.parameters, ends[0]?.parameters);
  assert.equal(ends[0]?.judged, undefined, "who does not ask has nothing of it in a snapshot");
  assert.equal(ends[1]?.judged?.cutsSince, 3, "the end is no cut that is judged");
});

test("one, two and three learners on one and two shards stop at the same step with the same version", async () => {
  assert.notEqual(expected.get(0), expected.get(1));
  for (const lag of [0, 1] as const) {
    for (const [learners, shards] of [
      [1, 2],
      [2, 1],
      [3, 2],
    ] as const) {
      assert.equal(await undisturbed(definitionOf(lag), learners, shards), expected.get(lag));
    }
  }
});

/** Failpoint, which learner dies at it, lag, learners, shards. The second cut is at step 4, the third, of step 6, is the end. */
const kills: readonly (readonly [string, number, 0 | 1, number, number])[] = [
  ["learner.step.after-push@3", 0, 0, 1, 2],
  ["learner.step.after-push@6", 0, 1, 1, 1],
  ["learner.snapshot.after-record@2", 0, 0, 1, 2],
  ["learner.snapshot.before-manifest@3", 0, 1, 1, 2],
  ["learner.snapshot.after-manifest@3", 0, 0, 2, 2],
  ["learner.snapshot.after-record@3", 0, 1, 2, 1],
  ["learner.snapshot.after-delete@3", 0, 0, 1, 1],
  ["learner.version.before-register", 0, 1, 1, 2],
  ["learner.version.after-register", 0, 0, 1, 2],
  ["learner.step.after-push@5", 1, 1, 2, 2],
];
for (const [failpoint, dies, lag, learners, shards] of sample(kills, 2)) {
  test(`learner ${dies} of ${learners} on ${shards} shards killed at ${failpoint} with lag ${lag}, the next gang stops at the same step`, async () => {
    await using world = await openWorld(definitionOf(lag), shards);
    const end = await loseGang(world.input(1), { learners, dies }, failpoint);
    assert.deepEqual(end, [null, "SIGKILL"]);
    await world.loseShards(3 - shards);
    assert.equal(await trainTogether(world.input(2), 3 - learners), expected.get(lag));
    assert.equal((await lastSnapshot(world)).progress.step, 6);
  });
}
