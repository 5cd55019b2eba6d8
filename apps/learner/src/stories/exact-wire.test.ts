import assert from "node:assert/strict";
import { once } from "node:events";
import { before, test } from "node:test";
import { type AttemptInput, attempt } from "../fixtures/attempt.ts";
import { memoryReader, tinyDefinition } from "../fixtures/data.ts";
import { startLearner, trainTogether } from "../fixtures/gang.ts";
import { openWorld } from "../fixtures/world.ts";

/** Rows that travel in fewer bytes, and two parts a step, so that there may be two learners. */
for (const wire of ["bfloat16", "int8"] as const) {
  const definition = tinyDefinition({ lag: 1, microBatches: 2, rows: { wire } });

  async function undisturbed(shards: number, how: Partial<AttemptInput> = {}): Promise<string> {
    await using world = await openWorld(definition, shards);
    return (await attempt({ ...world.input(1), ...how }, memoryReader())).version;
  }

  let expected: string;
  before(async () => {
    expected = await undisturbed(1);
  });

  test(`rows in ${wire} by lane and by grpc, to one learner and to two, give the same version`, async () => {
    assert.equal(await undisturbed(2, { wire: "grpc" }), expected);
    await using world = await openWorld(definition, 3);
    assert.equal(await trainTogether(world.input(1), 2), expected);
  });

  test(`killed with rows in ${wire}, the next gang ends with the same version on other shards`, async () => {
    await using world = await openWorld(definition, 2);
    for (const [i, failpoint] of [
      "learner.step.after-push@7",
      "learner.snapshot.before-manifest@2",
    ].entries()) {
      const child = startLearner(world.input(i + 1), failpoint);
      assert.deepEqual(await once(child, "exit"), [null, "SIGKILL"]);
      await world.loseShards(3 - i);
    }
    assert.equal(await trainTogether(world.input(3), 2), expected);
  });
}
