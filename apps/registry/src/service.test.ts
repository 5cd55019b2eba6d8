import assert from "node:assert/strict";
import { test } from "node:test";
import { sha256 } from "@heddle/base";
import { Stage } from "@heddle/proto/registry";
import { verifyChain, entryOf, type OutboxRecord } from "@heddle/store";
import { definition } from "./fixtures/definition.ts";
import { live, openBench, openRun, passed, requestId, soon, trained } from "./fixtures/registry.ts";

test("the same recipe is the same run, whoever asks and however it is written", async () => {
  await using bench = await openBench();
  const { registry } = bench;
  const first = await openRun(bench, "", '{"threads":1,"executor":"onnx"}');
  const again = await openRun(bench, "", '{ "executor": "onnx", "threads": 1 }');
  const other = await openRun(bench, "", '{"executor":"onnx","threads":2}');
  assert.equal(first.run, again.run);
  assert.notEqual(first.run, other.run);
  const { runs } = await registry.listRuns({ model: definition.name }, soon);
  assert.deepEqual(new Set(runs.map(({ run }) => run)), new Set([first.run, other.run]));
  assert.equal((await registry.listRuns({}, soon)).runs.length, 2);
  const ask = (recipe: object) =>
    registry.createRun({ requestId: requestId(), recipe: { ...first.recipe, ...recipe } }, soon);
  await assert.rejects(ask({ configuration: sha256("x") }), { reason: "UNKNOWN_CONFIGURATION" });
  await assert.rejects(ask({ parentVersion: sha256("x") }), { reason: "UNKNOWN_VERSION" });
  await assert.rejects(ask({ dataset: sha256("x") }), { reason: "UNKNOWN_DATASET" });
  await assert.rejects(ask({ environmentJson: "{" }), { reason: "RECIPE_INVALID" });
  await assert.rejects(registry.createRun({ requestId: "1" }, soon), {
    reason: "REFERENCE_MISSING",
  });
  await assert.rejects(registry.createRun({ recipe: first.recipe }, soon), {
    reason: "REQUEST_ID_MISSING",
  });
});

test("a run keeps its newest snapshots and never goes below a recorded step", async () => {
  await using bench = await openBench({ snapshotsPerRunMax: 2 });
  const { registry, objects } = bench;
  const { run } = await openRun(bench);
  const record = async (step: bigint, content = `snapshot ${step}`) => {
    const { name, bytes, sha256 } = await objects.put(
      `snapshots/${step}-${content.length}`,
      Buffer.from(content),
    );
    const snapshot = { step, manifest: { name, bytes: BigInt(bytes), sha256 } };
    await registry.recordSnapshot({ requestId: requestId(), run, snapshot }, soon);
  };
  for (const step of [10n, 20n, 20n, 30n]) await record(step);
  const { run: state } = await registry.getRun({ run: run.slice(0, 8) }, soon);
  assert.deepEqual(
    state?.snapshots.map(({ step }) => step),
    [20n, 30n],
  );
  await assert.rejects(record(20n), { reason: "SNAPSHOT_OLDER" });
  await assert.rejects(record(30n, "other contents"), { reason: "SNAPSHOT_OLDER" });
  const snapshot = { step: 40n, manifest: { name: "nowhere", bytes: 1n, sha256: sha256("") } };
  await assert.rejects(registry.recordSnapshot({ requestId: requestId(), run, snapshot }, soon), {
    reason: "ARTIFACT_MISSING",
  });
  await assert.rejects(registry.getRun({ run: "abc" }, soon), { reason: "UNKNOWN_RUN" });
  await assert.rejects(registry.getRun({ run: sha256("none") }, soon), { reason: "UNKNOWN_RUN" });
});

test("a version is named by its manifest, numbered in its family, and registered once", async () => {
  await using bench = await openBench();
  const { registry } = bench;
  const opened = await openRun(bench);
  const request = await trained(bench, opened);
  const first = await registry.registerVersion(request, soon);
  const again = await registry.registerVersion({ ...request, requestId: requestId() }, soon);
  assert.deepEqual([first.version, first.number], [request.manifest.sha256, 1]);
  assert.deepEqual([again.version, again.number], [first.version, 1]);
  const next = await openRun(bench, first.version);
  const second = await registry.registerVersion(await trained(bench, next), soon);
  assert.equal(second.number, 2);
  const { version } = await registry.getVersion({ version: first.version.slice(0, 6) }, soon);
  assert.deepEqual(
    [version?.number, version?.stage, version?.run],
    [1, Stage.CANDIDATE, opened.run],
  );
  assert.equal(version?.training?.examples, 100n);
  assert.deepEqual(version.training.movedBytes, { pulled: 7n });
  const { bottleneck, stageCpuSeconds, queues, loopDelayP99Ms } = version.training;
  assert.deepEqual([bottleneck, stageCpuSeconds, loopDelayP99Ms], ["push", { compute: 3 }, 4]);
  assert.deepEqual([queues["push"]?.mean, queues["push"]?.max], [0.5, 1]);
  const { staleness, inFlightMax, staleRefused } = version.training;
  assert.deepEqual([staleness, inFlightMax, staleRefused], [[3n, 1n], 2, 1n]);
  const { $typeName: _, ...stopped } = version.training.earlyStop!;
  assert.deepEqual(stopped, request.training.earlyStop);
  const { $typeName: _of, ...took } = version.training.transfer!;
  assert.deepEqual(took, request.training.transfer);
  const { $typeName: _rows, ...rows } = version.training.rows!;
  assert.deepEqual(rows, request.training.rows);
  const { versions } = await registry.listVersions({ model: definition.name }, soon);
  assert.deepEqual(
    versions.map(({ number }) => number),
    [2, 1],
  );
  assert.equal((await registry.getRun({ run: opened.run }, soon)).run?.version, first.version);
  await assert.rejects(registry.getVersion({ version: first.version.slice(0, 5) }, soon), {
    reason: "UNKNOWN_VERSION",
  });
});

test("a run does not end with two versions", async () => {
  await using bench = await openBench();
  const opened = await openRun(bench);
  await bench.registry.registerVersion(await trained(bench, opened), soon);
  const other = await trained(bench, opened, { memoryDigest: sha256("other contents") });
  await assert.rejects(bench.registry.registerVersion(other, soon), {
    reason: "RUN_ENDED_OTHERWISE",
  });
});

test("a manifest that is wrong, or names what is not there, registers nothing", async () => {
  await using bench = await openBench();
  const { registry } = bench;
  const opened = await openRun(bench);
  const refused = async (change: Record<string, unknown>, reason: string) => {
    const request = await trained(bench, opened, change);
    await assert.rejects(registry.registerVersion(request, soon), { reason });
  };
  const file = { role: "dense", object: "models/dense", bytes: 7, sha256: sha256("weights") };
  await refused({ model: "another" }, "MANIFEST_INVALID");
  await refused({ dataset: sha256("another") }, "MANIFEST_INVALID");
  await refused({ surprise: true }, "MANIFEST_INVALID");
  await refused({ negativeSamplingRate: 0 }, "MANIFEST_INVALID");
  await refused({ files: [{ ...file, object: "models/none" }] }, "ARTIFACT_MISSING");
  await refused({ files: [{ ...file, bytes: 8 }] }, "ARTIFACT_MISSING");
  await refused(
    { snapshot: { object: "models/dense", bytes: 7, sha256: sha256("x") } },
    "ARTIFACT_MISSING",
  );
  const good = await trained(bench, opened);
  const spaced = JSON.stringify(
    JSON.parse(Buffer.from(await bench.objects.get(good.manifest.name)).toString()),
    null,
    1,
  );
  const texts = [
    ["not JSON", /not JSON/],
    [spaced, /not canonical JSON/],
  ] as const;
  for (const [text, message] of texts) {
    const {
      name,
      bytes,
      sha256: digest,
    } = await bench.objects.put(`models/${text.length}`, Buffer.from(text));
    const manifest = { name, bytes: BigInt(bytes), sha256: digest };
    await assert.rejects(registry.registerVersion({ ...good, manifest }, soon), {
      reason: "MANIFEST_INVALID",
      message,
    });
  }
  const lossless = { ...good, training: { meanLoss: Number.NaN } };
  await assert.rejects(registry.registerVersion(lossless, soon), { reason: "NOT_A_NUMBER" });
  assert.equal((await registry.listVersions({ model: definition.name }, soon)).versions.length, 0);
});

test("a family that is full says so", async () => {
  await using bench = await openBench({ versionsPerModelMax: 1, runsPerModelMax: 2 });
  const first = await passed(bench);
  const second = await openRun(bench, first);
  const request = await trained(bench, second);
  await assert.rejects(bench.registry.registerVersion(request, soon), {
    reason: "FAMILY_FULL",
    message: /1 versions/,
  });
  const { run } = await bench.registry.getRun({ run: second.run }, soon);
  assert.equal(run?.version, "", "a version that was not registered does not show");
  await assert.rejects(openRun(bench, "", '{"a":1}'), { reason: "FAMILY_FULL", message: /2 runs/ });
});

test("every change has its event, and the audit chain of each aggregate holds", async () => {
  await using bench = await openBench();
  const version = await passed(bench);
  await bench.registry.setStage(live(version), soon);
  const wanted = ["configured", "run-opened", "registered", "judged", "live"];
  const records: OutboxRecord[] = [];
  while (
    changesOf(records).filter((change) => wanted.includes(String(change))).length < wanted.length
  ) {
    records.length = 0;
    for (const topic of ["heddle.models.v1", "heddle.audit.v1"]) {
      records.push(...(await bench.eventLog.read(topic, 0, 0, 1_000)));
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  const byKey = Map.groupBy(records, ({ key }) => key);
  assert.equal(byKey.size, 4);
  for (const own of byKey.values()) {
    verifyChain(own.map(entryOf).sort((a, b) => a.revision - b.revision));
  }
  const registered = records.map(entryOf).find(({ data }) => data["change"] === "registered");
  const { recipe, run } = (await bench.registry.getVersion({ version }, soon)).version ?? {};
  assert.deepEqual(registered?.data, {
    ...{ model: "shop-ranking", change: "registered", version, run, number: 1 },
    ...{ dataset: recipe?.dataset, configuration: recipe?.configuration },
  });
});

function changesOf(records: readonly OutboxRecord[]): unknown[] {
  return records.map((record) => entryOf(record).data["change"]);
}
