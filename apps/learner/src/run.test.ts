import assert from "node:assert/strict";
import { chmod, readFile, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { present } from "@heddle/base";
import { openFileObjects } from "@heddle/objects";
import type { ModelDefinition } from "@heddle/sdk";
import type { ExampleBatch } from "@heddle/transform";
import { attempt } from "./fixtures/attempt.ts";
import { memoryReader, tinyDefinition } from "./fixtures/data.ts";
import { lastSnapshot } from "./fixtures/last-snapshot.ts";
import { openWorld, type World } from "./fixtures/world.ts";
import type { ExampleReader } from "./data/reader.ts";
import { readSnapshot } from "./cuts/snapshot.ts";

/** The test dataset with something done to each piece. */
function changed(change: (batch: ExampleBatch, partition: string) => void): ExampleReader {
  const reader = memoryReader();
  return {
    read: async function* (partition, features) {
      for await (const batch of reader.read(partition, features)) {
        change(batch, partition.partition);
        yield batch;
      }
    },
  };
}
/** Fails, as a lost disk would, when that partition is read for training (the first read is the fit's). */
function failingAt(partition: string): ExampleReader {
  let reads = 0;
  return changed((batch, at) => {
    if (at === partition && ++reads > 1) throw new Error("disk lost");
  });
}

test("a run goes on from its newest snapshot on new shards, of another number, to the same version", async () => {
  let expected: string;
  {
    await using world = await openWorld(tinyDefinition(), 2);
    expected = (await attempt(world.input(1), memoryReader())).version;
  }
  await using world = await openWorld(tinyDefinition(), 2);
  await assert.rejects(attempt(world.input(1), failingAt("9")), /disk lost/);
  const [run] = world.remembered.runs.values();
  assert.ok((run?.snapshots.length ?? 0) > 0);
  await world.loseShards(3);
  assert.equal((await attempt(world.input(2), memoryReader())).version, expected);
  const summary = world.remembered.versions.get(expected)?.training;
  assert.equal(summary?.examples, 134n);
  assert.ok(Number(summary?.attemptExamples) < 134);
});

test("of a run's cuts the newest is kept with the layers it needs, and in the end what the version names", async () => {
  await using world = await openWorld(tinyDefinition({ snapshotSteps: 3 }), 2);
  const objects = await openFileObjects({ path: world.objects });
  await assert.rejects(attempt(world.input(1), failingAt("9")), /disk lost/);
  const [run] = world.remembered.runs.values();
  const place = run!.snapshots.at(-1)!.manifest!;
  const { layers } = await readSnapshot(objects, place.name, place.sha256);
  assert.ok(layers.length > 1, "not all of a cut is written anew");
  const needed = layers.flatMap(({ files }) => files.map(({ name }) => name));
  const folder = `runs/${run?.run}/snapshots/`;
  assert.deepEqual(await objects.list(folder), [place.name, ...needed].sort());
  await objects.put(`${folder}3/left-over`, new Uint8Array());
  await world.loseShards();
  await attempt(world.input(2), memoryReader());
  const ends = ["10/manifest.json", "10/parameters.tensors"].map((name) => `${folder}${name}`);
  assert.deepEqual(await objects.list(folder), ends);
});

test("a shard file with a flipped bit is reported with its block, and the run stays as it was", async () => {
  await using world = await openWorld(tinyDefinition(), 1);
  await assert.rejects(attempt(world.input(1), failingAt("9")), /disk lost/);
  const objects = await openFileObjects({ path: world.objects });
  const [name = ""] = (await objects.list("runs/")).filter((each) => each.includes("shard-0"));
  const path = await objects.path(name);
  const bytes = await readFile(path);
  bytes[bytes.length - 40] = (bytes[bytes.length - 40] ?? 0) ^ 1;
  await chmod(path, 0o644);
  await writeFile(path, bytes);
  await world.loseShards();
  await assert.rejects(attempt(world.input(2), memoryReader()), {
    code: "DATA_LOSS",
    reason: "BLOCK_CORRUPT",
    message: /^block \d+ of runs\/.*shard-0-of-1.tensors is corrupt/,
  });
});

test("a run that has its version is not trained again", async () => {
  await using world = await openWorld(tinyDefinition(), 1);
  const first = await attempt(world.input(1), memoryReader());
  const again = await attempt(world.input(2), failingAt("7"));
  assert.deepEqual(again, first);
});

test("the summary says what was trained, what it cost and where the time went", async () => {
  await using world = await openWorld(tinyDefinition(), 2);
  const { version } = await attempt(world.input(1), memoryReader());
  const training = world.remembered.versions.get(version)?.training;
  assert.equal(training?.steps, 10n);
  assert.equal(training?.cpuSeconds, 2, "of the learner and two shards");
  assert.ok(training.meanLoss > 0.3 && training.meanLoss < 1, String(training.meanLoss));
  const { pulled, pushed, saved, spared } = training.movedBytes;
  assert.ok(pulled !== undefined && pushed !== undefined && spared !== undefined && spared > 0n);
  assert.equal(pulled, pushed + spared, "a push names the ids of its pull");
  assert.ok(saved !== undefined && saved > 0n);
  const shares = Object.values(training.stageShares);
  assert.ok(Math.abs(shares.reduce((a, b) => a + b, 0) - 1) < 1e-9);
  assert.ok(training.bottleneck in training.stageShares, training.bottleneck);
  assert.ok((training.stageCpuSeconds["main"] ?? 0) > 0);
});

test("with threads of its own it names what each of them spent and what lay between them", async () => {
  await using world = await openWorld(tinyDefinition({ lag: 1 }), 1);
  const { version } = await attempt({ ...world.input(1), threads: true }, memoryReader());
  const training = world.remembered.versions.get(version)?.training;
  const shares = Object.values(training?.stageShares ?? {});
  const sum = shares.reduce((a, b) => a + b, 0);
  assert.ok(Math.abs(sum - 1) < 0.02, `the parts of three threads' clocks sum to ${sum}`);
  const { compute = 0, start = 0 } = training?.stageShares ?? {};
  assert.ok(compute > 0 && start > 0);
  const { read = 0, compute: computed = 0, main = 0 } = training?.stageCpuSeconds ?? {};
  assert.ok(read > 0 && computed > 0 && main > 0);
  const { batch, step, pull, push } = training?.queues ?? {};
  assert.ok(
    batch !== undefined && batch.max >= 1 && batch.max <= 3,
    "what is cut ahead is bounded",
  );
  assert.deepEqual([step?.max, pull?.max, push?.max], [1, 1, 1]);
});

test("a warm start takes its parent's parameters, slots and fit, and its data from the first row", async () => {
  await using world = await openWorld(tinyDefinition(), 2);
  const parent = await attempt(world.input(1), memoryReader());
  await world.loseShards();
  const shifted = changed(({ features }) => {
    const { price } = features;
    if (price?.type === "float64")
      price.values.forEach((value, i) => (price.values[i] = value + 1_000));
  });
  const child = await attempt({ ...world.input(2), parentVersion: parent.version }, shifted);
  assert.notEqual(child.version, parent.version);
  const before = await lastSnapshot(world, parent.run);
  const after = await lastSnapshot(world, child.run);
  assert.deepEqual(after.fit, before.fit);
  assert.equal(after.parentVersion, parent.version);
  assert.equal(after.progress.examples, 134);
});

/** Trains a version's child by another definition, on the shards and objects of the parent's world. */
async function childIn(world: World, parentVersion: string, definition: ModelDefinition) {
  await using other = await openWorld(definition, 1);
  const made = present(world.remembered.versions.get(parentVersion), "the parent");
  other.remembered.versions.set(parentVersion, made);
  await world.loseShards();
  const { services } = other.input(1);
  return await attempt({ ...world.input(1), services, parentVersion }, memoryReader());
}

test("a parent of another shape is refused by name", async () => {
  await using world = await openWorld(tinyDefinition(), 1);
  const parent = await attempt(world.input(1), memoryReader());
  const { architecture } = tinyDefinition();
  const wider = { ...tinyDefinition(), architecture: { ...architecture, dimension: 5 } };
  await assert.rejects(childIn(world, parent.version, wider), {
    reason: "SNAPSHOT_DIFFERS",
    message: /table embeddings has rows of 4 values, not 6/,
  });
});

test("a parent of other inputs is refused with what to do", async () => {
  await using world = await openWorld(tinyDefinition(), 1);
  const parent = await attempt(world.input(1), memoryReader());
  const [user, item, price] = tinyDefinition().inputs;
  const renamed = { ...tinyDefinition(), inputs: [user!, item!, { ...price!, name: "cost" }] };
  await assert.rejects(childIn(world, parent.version, renamed), {
    code: "FAILED_PRECONDITION",
    reason: "INPUTS_CHANGED",
    message: /model tiny changed since version .* fitted for cost.*warmStart: false/,
  });
});

test("a parent of another optimiser is refused with what to do, one of other numbers is not", async () => {
  await using world = await openWorld(tinyDefinition(), 1);
  const parent = await attempt(world.input(1), memoryReader());
  // Both have a slot for each value, so that nothing else would tell them apart.
  const momentum = { kind: "momentum", rate: 0.01, momentum: 0.9 } as const;
  const embeddings = { kind: "adagrad", rate: 0.2, initialAccumulator: 0.3 } as const;
  const separate = { kind: "separate", embeddings, dense: momentum } as const;
  await assert.rejects(childIn(world, parent.version, tinyDefinition({ optimizer: separate })), {
    code: "FAILED_PRECONDITION",
    reason: "OPTIMIZER_CHANGED",
    message: /model tiny's dense parameters is momentum, .* was adagrad: set warmStart: false/,
  });
  const same = tinyDefinition({ optimizer: { ...separate, dense: embeddings } });
  await childIn(world, parent.version, same);
});

test("a dataset with no rows is refused before anything is trained", async () => {
  await using world = await openWorld(tinyDefinition(), 1, []);
  await assert.rejects(attempt(world.input(1), memoryReader()), {
    code: "FAILED_PRECONDITION",
    reason: "EMPTY_DATASET",
    message: /dataset d of model tiny has no rows/,
  });
});

test("a dataset whose labels are all alike trains", async () => {
  await using world = await openWorld(tinyDefinition(), 1, ["7"]);
  const alike = changed(({ label }) => label.fill(0));
  assert.match((await attempt(world.input(1), alike)).version, /^[0-9a-f]{64}$/);
});

test("a file with other rows than its manifest says is refused", async () => {
  await using world = await openWorld(tinyDefinition({ lag: 1 }), 1, ["7", "8"]);
  const short: ExampleReader = {
    read: async function* (partition) {
      yield* memoryReader().read({ ...partition, rows: partition.rows - 1 }, []);
    },
  };
  await assert.rejects(attempt(world.input(1), short), {
    code: "DATA_LOSS",
    reason: "DATASET_DIFFERS",
    message: /partition 7 has 49 rows, its manifest says 50/,
  });
});

test("a learner with too few shards is refused", async () => {
  await using world = await openWorld(tinyDefinition(), 1);
  await assert.rejects(attempt({ ...world.input(1), wanted: 2 }, memoryReader()), {
    reason: "GANG_INCOMPLETE",
    message: /no shard-1 of 2/,
  });
});

test("a replaced learner is refused by the shards", async () => {
  await using world = await openWorld(tinyDefinition(), 1);
  await assert.rejects(attempt(world.input(2), failingAt("9")), /disk lost/);
  await assert.rejects(attempt(world.input(1), memoryReader()), {
    code: "ABORTED",
    reason: "FENCED",
  });
});

test("a corrupt snapshot is reported, not trained from", async () => {
  await using world = await openWorld(tinyDefinition(), 1);
  await assert.rejects(attempt(world.input(1), failingAt("9")), /disk lost/);
  const [run] = world.remembered.runs.values();
  const place = run?.snapshots.at(-1)?.manifest;
  const objects = await openFileObjects({ path: world.objects });
  const path = await objects.path(place?.name ?? "");
  const bytes = await readFile(path);
  bytes[40] = (bytes[40] ?? 0) ^ 1;
  await writeFile(path, bytes);
  await assert.rejects(attempt(world.input(2), memoryReader()), { code: "DATA_LOSS" });

  const other = await objects.put("other", new TextEncoder().encode('{"format":"else"}'));
  await assert.rejects(readSnapshot(objects, other.name, other.sha256), {
    code: "DATA_LOSS",
    reason: "SNAPSHOT_UNREADABLE",
  });
});
