import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { systemClock } from "@heddle/base";
import { openProcessJobs } from "@heddle/jobs";
import { readManifest } from "@heddle/model";
import { openFileObjects } from "@heddle/objects";
import { jobEnvironment } from "@heddle/testkit";
import { attempt } from "./fixtures/attempt.ts";
import { memoryReader, tinyDefinition } from "./fixtures/data.ts";
import { putPartition } from "./fixtures/parquet.ts";
import { startServices } from "./fixtures/services.ts";
import { startTestShards } from "./fixtures/shards.ts";

const apps = join(import.meta.dirname, "../..");
const programs = {
  learner: join(apps, "learner/src/train-job.ts"),
  shard: join(apps, "parameter-server/src/shard-job.ts"),
};
const partitions = ["7", "9"];

type Services = Awaited<ReturnType<typeof startServices>>;

/** Two learners and two shards, started as the scheduler starts them, to the end of the run; what the leader completed with. */
async function runGang(folder: string, objects: string, services: Services) {
  await using jobs = openProcessJobs({
    programs,
    node: process.execPath,
    logFolder: join(folder, "logs"),
    environment: {
      ...jobEnvironment(),
      HEDDLE_TELEMETRY_FOLDER: join(folder, "telemetry"),
    },
    clock: systemClock,
  });
  const { address } = services;
  const start = (role: string, program: string, input: object) => {
    const peers = { registry: address, featureStore: address };
    const base = { job: role, role, fence: 3, scheduler: address, peers, objects };
    return jobs.start({ id: role, program, input: { ...base, ...input }, environment: {} });
  };
  const shards = [await start("shard-0", "shard", {}), await start("shard-1", "shard", {})];
  const { addresses } = services.remembered;
  while (Object.keys(addresses).length < 2)
    await systemClock.sleep(20, AbortSignal.timeout(20_000));
  const recipe = {
    ...{ configuration: "c", dataset: "d", parentVersion: "" },
    ...{ shards: 2, learners: 2, traceEverySteps: 1 },
  };
  const learner = await start("learner", "learner", recipe);
  const follower = await start("learner-1", "learner", { ...recipe, learner: 1 });
  assert.deepEqual(await learner.exited, { kind: "succeeded" });
  const outputs = await services.remembered.completed.promise;
  for (const member of [follower, ...shards]) {
    await member.stop(5_000);
    assert.deepEqual(await member.exited, { kind: "succeeded" });
  }
  return outputs;
}

async function openDataset() {
  const folder = await mkdtemp(join(tmpdir(), "heddle-job-"));
  const path = join(folder, "objects");
  const objects = await openFileObjects({ path });
  const files = Object.fromEntries(
    await Promise.all(partitions.map(async (p) => [p, await putPartition(objects, p)] as const)),
  );
  return { folder, path, objects, files };
}

test("the programs, started as the scheduler starts them, train from Parquet files what memory would have given", async () => {
  const { folder, path, objects, files } = await openDataset();
  const definition = tinyDefinition({ microBatches: 2 });
  await using services = await startServices(definition, partitions, files);
  const { version, run } = await runGang(folder, path, services);
  assert.equal(services.remembered.runs.get(run ?? "")?.version, version);
  const spans = (await readdir(join(folder, "telemetry"))).filter((name) =>
    name.startsWith("spans-"),
  );
  assert.equal(spans.length, 4);

  await using again = await startServices(definition, partitions);
  await using gang = await startTestShards(1, path);
  const input = { services: again.address, shards: gang.addresses, objects: path, fence: 1 };
  const fromMemory = await attempt(input, memoryReader());
  const parameters = async (remembered: typeof services.remembered, name: string) => {
    const place = remembered.versions.get(name)?.manifest;
    const { files: written } = await readManifest(objects, { name: place!.name, sha256: name });
    return written.filter(({ role }) => role !== "definition").map(({ sha256 }) => sha256);
  };
  assert.deepEqual(
    await parameters(services.remembered, version ?? ""),
    await parameters(again.remembered, fromMemory.version),
  );
  await rm(folder, { recursive: true });
});

test("the programs train in bounded mode, too, with more updates in flight than batches in the reader's memory", async () => {
  const { folder, path, files } = await openDataset();
  const mode = { kind: "bounded", staleness: 12, inFlight: 12 } as const;
  const definition = tinyDefinition({ mode, snapshotSteps: 100 });
  await using services = await startServices(definition, partitions, files);
  const { version } = await runGang(folder, path, services);
  const training = services.remembered.versions.get(version ?? "")?.training;
  assert.deepEqual([training?.steps, training?.examples], [6n, 70n]);
  const pushes = (training?.staleness ?? []).reduce((sum, n) => sum + n, 0n);
  assert.equal(pushes, 12n, "each update once on each shard");
  await rm(folder, { recursive: true });
});

test("a learner refuses an input with an unknown key and names the nearest one", async () => {
  const folder = await mkdtemp(join(tmpdir(), "heddle-job-"));
  {
    await using jobs = openProcessJobs({
      programs,
      node: process.execPath,
      logFolder: folder,
      environment: jobEnvironment(),
      clock: systemClock,
    });
    const input = { configuratoin: "c" };
    const job = await jobs.start({ id: "l", program: "learner", input, environment: {} });
    const exit = await job.exited;
    assert.equal(exit.kind === "failed" && exit.reason, "JOB_INPUT_INVALID");
    assert.match(
      exit.kind === "failed" ? exit.message : "",
      /"configuratoin"; did you mean "configuration"\?/,
    );
    assert.equal(exit.kind === "failed" && exit.retryable, false);
  }
  await rm(folder, { recursive: true });
});
