import assert from "node:assert/strict";
import { once } from "node:events";
import { before, test } from "node:test";
import { sample } from "@heddle/testkit";
import { attempt } from "../fixtures/attempt.ts";
import { memoryReader, tinyDefinition } from "../fixtures/data.ts";
import { startLearner } from "../fixtures/gang.ts";
import { openWorld } from "../fixtures/world.ts";

const definition = tinyDefinition({ lag: 1 });
const local = { wire: "local" } as const;
let expected: string;
before(async () => {
  await using world = await openWorld(definition, 2);
  expected = (await attempt(world.input(1), memoryReader())).version;
});

test("a learner that keeps the parameters itself gives the version that shards give", async () => {
  await using world = await openWorld(definition, 0);
  const { version } = await attempt({ ...world.input(1), ...local }, memoryReader());
  assert.equal(version, expected);
});

const failpoints = [
  "learner.step.after-push@7",
  "learner.snapshot.after-freeze@2",
  "learner.snapshot.before-manifest@2",
  "learner.snapshot.after-manifest",
];

for (const [from, first, to, next] of [
  ["alone", local, "alone", local],
  ["alone", local, "on shards", {}],
  ["on shards", {}, "alone", local],
] as const) {
  test(`killed ${from}, it goes on ${to} and ends with the same version`, async () => {
    for (const failpoint of sample(failpoints, 1)) {
      await using world = await openWorld(definition, 2);
      const child = startLearner({ ...world.input(1), ...first }, failpoint);
      assert.deepEqual(await once(child, "exit"), [null, "SIGKILL"], failpoint);
      await world.loseShards(2);
      const { version } = await attempt({ ...world.input(2), ...next }, memoryReader());
      assert.equal(version, expected, failpoint);
    }
  });
}
