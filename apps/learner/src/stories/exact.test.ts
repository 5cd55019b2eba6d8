import assert from "node:assert/strict";
import { before, test } from "node:test";
import type { ModelDefinition, Optimizer, RowOptions } from "@heddle/sdk";
import { sample } from "@heddle/testkit";
import { attempt, type AttemptInput } from "../fixtures/attempt.ts";
import { memoryReader, tinyDefinition } from "../fixtures/data.ts";
import { killedAt } from "../fixtures/killed-at.ts";
import { openWorld } from "../fixtures/world.ts";

async function undisturbed(
  definition: ModelDefinition,
  shards = 2,
  how: Partial<AttemptInput> = {},
): Promise<string> {
  await using world = await openWorld(definition, shards);
  return (await attempt({ ...world.input(1), ...how }, memoryReader())).version;
}

let expected: Record<0 | 1, string>;
before(async () => {
  expected = {
    0: await undisturbed(tinyDefinition({ lag: 0 })),
    1: await undisturbed(tinyDefinition({ lag: 1 })),
  };
});

test("one, two and three shards give the same version", async () => {
  for (const shards of [1, 3]) {
    assert.equal(await undisturbed(tinyDefinition(), shards), expected[0]);
    assert.equal(await undisturbed(tinyDefinition({ lag: 1 }), shards), expected[1]);
  }
  assert.notEqual(expected[0], expected[1], "the lag is part of the configuration");
});

test("pulls and pushes by lane and by grpc alone give the same version", async () => {
  for (const lag of [0, 1] as const) {
    assert.equal(await undisturbed(tinyDefinition({ lag }), 2, { wire: "grpc" }), expected[lag]);
  }
});

test("rows and steps on threads of their own give the same version", async () => {
  for (const lag of [0, 1] as const) {
    assert.equal(await undisturbed(tinyDefinition({ lag }), 2, { threads: true }), expected[lag]);
  }
});

test("so they do with several micro-batches a step", async () => {
  const definition = tinyDefinition({ lag: 1, microBatches: 3 });
  const there = await undisturbed(definition, 2, { threads: true });
  assert.equal(there, await undisturbed(definition, 2));
});

test("so they do when the steps run op by op", async () => {
  const here = await undisturbed(tinyDefinition(), 1, { executor: "tfjs" });
  const there = await undisturbed(tinyDefinition(), 1, { executor: "tfjs", threads: true });
  assert.equal(there, here);
  assert.notEqual(here, expected[0], "another executor is another environment");
});

test("killed with threads of its own, the next attempt ends with the same version", async () => {
  await using world = await openWorld(tinyDefinition({ lag: 1 }), 2);
  const threads = true;
  const killed = await killedAt("learner.step.after-push@7", { ...world.input(1), threads });
  assert.equal(killed, true);
  const { version } = await attempt({ ...world.input(2), threads }, memoryReader());
  assert.equal(version, expected[1]);
});

test("with any update rules, storage, admission and travel of rows one and three shards give the same version, and others another", async () => {
  const rules: readonly Optimizer[] = [
    {
      kind: "separate",
      embeddings: { kind: "rowwise-adagrad", rate: 0.1, initialAccumulator: 0.1 },
      dense: { kind: "adam", rate: 0.01, beta1: 0.9, beta2: 0.999 },
    },
    {
      kind: "separate",
      embeddings: { kind: "ftrl", rate: 0.1, beta: 1, l1: 0.01, l2: 0.01 },
      dense: { kind: "momentum", rate: 0.01, momentum: 0.9 },
    },
    {
      kind: "separate",
      embeddings: { kind: "adam", rate: 0.01, beta1: 0.9, beta2: 0.999 },
      dense: { kind: "sgd", rate: 0.05 },
    },
  ];
  const sampled = sample(rules, 1);
  const versions = new Set([expected[0]]);
  for (const optimizer of sampled) {
    const version = await undisturbed(tinyDefinition({ optimizer }), 1);
    assert.equal(await undisturbed(tinyDefinition({ optimizer }), 3), version);
    versions.add(version);
  }
  assert.equal(versions.size, sampled.length + 1);
  const kept: readonly RowOptions[] = [
    { storage: "bfloat16" },
    { admission: { probability: 0.2 } },
    { admission: { count: 3 } },
    { expiry: { steps: 3 } },
    { admission: { count: 2 }, expiry: { steps: 4 } },
    { wire: "bfloat16" },
    { wire: "int8" },
  ];
  for (const rows of sample(kept, 2)) {
    const version = await undisturbed(tinyDefinition({ rows }), 1);
    assert.equal(await undisturbed(tinyDefinition({ rows }), 3), version);
    assert.ok(!versions.has(version));
  }
});

const kills: readonly (readonly [string, 0 | 1])[] = [
  ["learner.step.after-push", 0],
  ["learner.step.after-push@7", 0],
  ["learner.step.after-push@7", 1],
  ["learner.snapshot.before-manifest", 0],
  ["learner.snapshot.before-manifest@2", 1],
  ["learner.snapshot.after-manifest", 1],
  ["learner.snapshot.after-record", 0],
  ["learner.snapshot.before-manifest@3", 0],
  ["learner.snapshot.after-manifest@3", 0],
  ["learner.snapshot.after-record@3", 0],
  ["learner.snapshot.after-freeze", 1],
  ["learner.snapshot.after-freeze@2", 0],
  ["learner.snapshot.after-delete", 0],
  ["learner.snapshot.after-delete@3", 1],
  ["learner.version.before-register", 1],
  ["learner.version.after-register", 0],
];
for (const [failpoint, lag] of sample(kills, 3)) {
  test(`killed at ${failpoint} with lag ${lag}, the next attempt ends with the same version`, async () => {
    await using world = await openWorld(tinyDefinition({ lag }), 2);
    assert.equal(await killedAt(failpoint, world.input(1)), true);
    const { version } = await attempt(world.input(2), memoryReader());
    assert.equal(version, expected[lag]);
  });
}

for (const [what, rows] of [
  ["all rows", {}],
  ["rows admitted by count that expire", { admission: { count: 2 }, expiry: { steps: 3 } }],
] as const) {
  test(`a cut after every step, killed at each of its steps and gone on from on other shards, changes nothing: ${what}`, () =>
    disturbedAtEachStep(tinyDefinition({ snapshotSteps: 1, lag: 1, rows })));
}

async function disturbedAtEachStep(definition: ModelDefinition): Promise<void> {
  const whole = await undisturbed(definition);
  assert.equal(await undisturbed(definition, 3), whole);
  await using world = await openWorld(definition, 2);
  const stops = [
    ["learner.snapshot.before-manifest@3", 3],
    ["learner.snapshot.after-manifest", 1],
    ["learner.snapshot.after-record@2", 2],
    ["learner.snapshot.after-delete@2", 3],
    ["learner.step.after-push@2", 1],
  ] as const;
  const sampled = sample(stops, 2);
  for (const [i, [failpoint, shards]] of sampled.entries()) {
    assert.equal(await killedAt(failpoint, world.input(i + 1)), true, failpoint);
    await world.loseShards(shards);
  }
  assert.equal((await attempt(world.input(sampled.length + 1), memoryReader())).version, whole);
}
