import assert from "node:assert/strict";
import { before, test } from "node:test";
import type { ModelDefinition } from "@heddle/sdk";
import { sample } from "@heddle/testkit";
import { attempt } from "../fixtures/attempt.ts";
import { memoryReader, partitionRows, tinyDefinition } from "../fixtures/data.ts";
import { trainTogether } from "../fixtures/gang.ts";
import { windowLogs } from "../fixtures/windows.ts";
import { killedAt } from "../fixtures/killed-at.ts";
import { lastSnapshot } from "../fixtures/last-snapshot.ts";
import { openWorld, type World } from "../fixtures/world.ts";

const windows = Object.keys(partitionRows);
const openWindows = (definition: ModelDefinition, shards = 2): Promise<World> =>
  openWorld(definition, shards, windows, windowLogs);

const definitionOf = (lag: 0 | 1) => tinyDefinition({ lag, microBatches: 3 });
let expected: Record<0 | 1, string>;
before(async () => {
  const undisturbed = async (lag: 0 | 1): Promise<string> => {
    await using world = await openWindows(definitionOf(lag), 1);
    return (await attempt(world.input(1), memoryReader())).version;
  };
  expected = { 0: await undisturbed(0), 1: await undisturbed(1) };
});

test("cuts lie at the ends of windows, and say how much of the log is in the parameters", async () => {
  await using world = await openWindows(definitionOf(0));
  const { run, version } = await attempt(world.input(1), memoryReader());
  const steps = world.remembered.runs.get(run)?.snapshots.map(({ step }) => Number(step));
  // 50, 64 and 20 rows in batches of 16; snapshotSteps is 4, and says nothing here.
  assert.deepEqual(steps, [4, 8, 10]);
  const { progress } = await lastSnapshot(world);
  assert.deepEqual(progress.log, { topic: "clicks", offsets: [67, 67] });
  assert.deepEqual(
    world.remembered.versions
      .get(version)
      ?.training?.log.map(({ partition, fromOffset, toOffset }) => [
        partition,
        fromOffset,
        toOffset,
      ]),
    [
      [0, 0n, 67n],
      [1, 0n, 67n],
    ],
  );
});

test("learners, shards, threads and the parameters' place change no byte", async () => {
  for (const lag of [0, 1] as const) {
    for (const [learners, shards] of [
      [2, 1],
      [3, 2],
    ] as const) {
      await using world = await openWindows(definitionOf(lag), shards);
      assert.equal(await trainTogether(world.input(1), learners), expected[lag]);
    }
    for (const how of [{ wire: "local" }, { threads: true }] as const) {
      await using world = await openWindows(definitionOf(lag));
      const { version } = await attempt({ ...world.input(1), ...how }, memoryReader());
      assert.equal(version, expected[lag]);
    }
  }
});

/** Failpoint, lag, and the offset that the newest snapshot holds then; undefined where it may be on its way. */
const kills: readonly (readonly [string, 0 | 1, number | undefined])[] = [
  ["learner.step.before-push@3", 0, undefined],
  ["learner.step.before-push@6", 1, undefined],
  ["learner.step.after-push@7", 0, undefined],
  ["learner.snapshot.after-freeze@2", 1, 25],
  ["learner.snapshot.before-manifest@2", 0, 25],
  ["learner.snapshot.after-manifest@2", 1, 25],
  ["learner.snapshot.after-record@2", 0, 57],
  ["learner.snapshot.after-record@3", 1, 67],
  ["learner.version.before-register", 0, 67],
];
for (const [failpoint, lag, offset] of sample(kills, 2)) {
  test(`killed at ${failpoint}, and with the shards lost, no event is lost or counts twice`, async () => {
    await using world = await openWindows(definitionOf(lag));
    assert.equal(await killedAt(failpoint, world.input(1)), true);
    await world.loseShards(3);
    if (offset !== undefined) {
      const { progress } = await lastSnapshot(world);
      assert.deepEqual(progress.log?.offsets, [offset, offset]);
    }
    const { version } = await attempt(world.input(2), memoryReader());
    assert.equal(version, expected[lag]);
  });
}

test("runs of one window each, one continuing the other, end with the parameters of one run of all", async () => {
  await using world = await openWindows(definitionOf(1));
  let fence = 0;
  const learn = async (dataset: string, parentVersion?: string) => {
    await world.loseShards();
    const input = { ...world.input((fence += 1)), dataset };
    const continued = parentVersion === undefined ? input : { ...input, parentVersion };
    const { version, run } = await attempt(continued, memoryReader());
    const { layers, progress } = await lastSnapshot(world, run);
    return { version, progress, parameters: layers[0]?.files[0]?.sha256 };
  };
  const first = await learn("d:7");
  const together = await learn("d:8,9", first.version);
  const second = await learn("d:8", first.version);
  const third = await learn("d:9", second.version);
  assert.deepEqual(second.progress.log, { topic: "clicks", offsets: [57, 57] });
  assert.equal(third.parameters, together.parameters);
  assert.notEqual(third.parameters, second.parameters);
});

test("windows that do not begin where the parent's parameters end are refused, by partition and offset", async () => {
  await using world = await openWindows(definitionOf(0));
  const { version: parentVersion } = await attempt(
    { ...world.input(1), dataset: "d:7" },
    memoryReader(),
  );
  for (const [dataset, begins] of [
    ["d:9", 57],
    ["d:7,8", 0],
  ] as const) {
    await assert.rejects(attempt({ ...world.input(2), dataset, parentVersion }, memoryReader()), {
      code: "FAILED_PRECONDITION",
      reason: "LOG_GAP",
      message: new RegExp(
        `begins at offset ${begins} of topic clicks, partition 0, .* trained up to 25: take the windows`,
      ),
    });
  }
  await assert.rejects(attempt({ ...world.input(2), dataset: "d:7,9" }, memoryReader()), {
    reason: "LOG_GAP",
    message: /^window 9 begins at offset 57/,
  });
});

test("bounded mode and early stopping do not go with it", async () => {
  for (const training of [
    { mode: { kind: "bounded", staleness: 1, inFlight: 1 } },
    { earlyStopping: { patience: 1 } },
  ] as const) {
    await using world = await openWindows(tinyDefinition(training));
    await assert.rejects(attempt(world.input(1), memoryReader()), {
      code: "FAILED_PRECONDITION",
      reason: "LOG_NEEDS_EXACT",
    });
  }
});
