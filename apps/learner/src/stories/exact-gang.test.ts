import assert from "node:assert/strict";
import { before, test } from "node:test";
import { sample } from "@heddle/testkit";
import { attempt } from "../fixtures/attempt.ts";
import { memoryReader, tinyDefinition } from "../fixtures/data.ts";
import { loseGang, trainTogether, undisturbed } from "../fixtures/gang.ts";
import { lastSnapshot } from "../fixtures/last-snapshot.ts";
import { killedAt } from "../fixtures/killed-at.ts";
import { openWorld } from "../fixtures/world.ts";

const microBatches = 3;
const definitionOf = (lag: 0 | 1) => tinyDefinition({ lag, microBatches });

const expected = new Map<0 | 1, string>();
before(async () => {
  for (const lag of [0, 1] as const) expected.set(lag, await undisturbed(definitionOf(lag), 1, 1));
});

test("one, two and three learners on one and two shards give the same version", async () => {
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

test("the number of micro-batches is part of what is trained, and changes it by rounding alone", async () => {
  const ends = [];
  for (const definition of [tinyDefinition(), tinyDefinition({ microBatches: 4 })]) {
    await using world = await openWorld(definition, 2);
    const { version, run } = await attempt(world.input(1), memoryReader());
    const { progress } = await lastSnapshot(world, run);
    ends.push({ version, ...progress });
  }
  const [whole, parts] = ends;
  assert.notEqual(parts?.version, whole?.version);
  assert.equal(parts?.examples, whole?.examples);
  assert.ok(Math.abs((parts?.lossSum ?? 0) - (whole?.lossSum ?? 0)) < 1e-3);
});

test("more learners than micro-batches are refused before anything is trained", async () => {
  await using world = await openWorld(tinyDefinition(), 1);
  await assert.rejects(attempt({ ...world.input(1), learners: 2 }, memoryReader()), {
    code: "FAILED_PRECONDITION",
    reason: "TOO_MANY_LEARNERS",
    message: /2 learners cannot share the 1 micro-batches of a step .* of model tiny/,
  });
});

test("a learner that knows of another snapshot than its leader does not train beside it", async () => {
  await using world = await openWorld(definitionOf(0), 1);
  assert.equal(await killedAt("learner.snapshot.after-record", world.input(1)), true);
  await world.loseShards();
  // The leader's look at the run came before the snapshot.
  await using before = await openWorld(definitionOf(0), 0);
  const over = new AbortController();
  const leads = { ...world.input(2), services: before.input(2).services, learners: 2 };
  const leader = assert.rejects(attempt(leads, memoryReader(), over));
  await assert.rejects(
    attempt({ ...world.input(2), learners: 2, learner: 1 }, memoryReader(), over),
    {
      code: "ABORTED",
      reason: "GANG_APART",
      message: /the leader starts from step 0 and this learner from 4/,
    },
  );
  over.abort();
  await leader;
});

/** Failpoint, which learner dies at it, lag, learners, shards. */
const kills: readonly (readonly [string, number, 0 | 1, number, number])[] = [
  ["learner.step.after-push", 0, 0, 2, 2],
  ["learner.step.after-push@6", 1, 0, 2, 1],
  ["learner.step.after-push@7", 1, 1, 2, 2],
  ["learner.snapshot.before-manifest@2", 0, 1, 2, 2],
];
for (const [failpoint, dies, lag, learners, shards] of sample(kills, 1)) {
  test(`learner ${dies} of ${learners} on ${shards} shards killed at ${failpoint} with lag ${lag}, the next gang ends with the same version`, async () => {
    await using world = await openWorld(definitionOf(lag), shards);
    const end = await loseGang(world.input(1), { learners, dies }, failpoint);
    assert.deepEqual(end, [null, "SIGKILL"]);
    await world.loseShards();
    // The next attempt may have another number of learners.
    assert.equal(await trainTogether(world.input(2), 3 - learners + 1), expected.get(lag));
  });
}
