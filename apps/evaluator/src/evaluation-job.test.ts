import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { sha256, systemClock } from "@heddle/base";
import { openExecutor } from "@heddle/executor";
import { type JobExit, openProcessJobs } from "@heddle/jobs";
import type { Evaluation, Metric } from "@heddle/proto/evaluator";
import { jobEnvironment } from "@heddle/testkit";
import { candidates, type ManifestInit, putDataset, sampled } from "./fixtures/data.ts";
import { brier, definition } from "./fixtures/definition.ts";
import { putVersion } from "./fixtures/versions.ts";
import { openWorld, requestId, soon, type World } from "./fixtures/world.ts";

/** Manifests of training data, a year and a week; a week may lack its discounts. */
function training(name: string, scale: number, discounted: number): ManifestInit {
  const slices = [{ slice: "discounted", rows: 40n, positives: BigInt(discounted * scale) }];
  return {
    dataset: sha256(name),
    rows: BigInt(7_000 * scale),
    positives: BigInt(1_000 * scale),
    slices,
  };
}

interface Prepared {
  readonly good: string;
  readonly live: string;
  readonly harmful: string;
  readonly input: Readonly<Record<string, string>>;
}

async function prepare(world: World): Promise<Prepared> {
  const { objects, versions, datasets, evaluator } = world;
  await evaluator.applyMetric(
    { requestId: requestId(), definitionJson: JSON.stringify(brier) },
    soon,
  );
  const weeks = [candidates(250, 1), candidates(250, 2)];
  const rows = await putDataset(objects, "evaluation", weeks.map(sampled));
  const ranking = await putDataset(objects, "ranking", weeks);
  const [year, week, careless] = [
    training("year", 50, 610),
    training("week", 1, 600),
    training("careless", 1, 0),
  ];
  for (const manifest of [rows, ranking, year, week, careless]) {
    datasets.set(manifest.dataset ?? "", manifest);
  }
  const executor = await openExecutor({ kind: "auto" });
  const put = async (weight: number, bias: number, dataset: ManifestInit): Promise<string> => {
    const { version, manifest } = await putVersion(objects, executor, { weight, bias });
    const recipe = { configuration: sha256("configuration"), dataset: dataset.dataset ?? "" };
    versions.set(version, { version, model: definition.name, manifest, recipe });
    return version;
  };
  return {
    good: await put(1.5, -4, week),
    live: await put(1.4, -3.9, year),
    harmful: await put(-0.2, -3, careless),
    input: {
      dataset: rows.dataset ?? "",
      rankingDataset: ranking.dataset ?? "",
      referenceDataset: year.dataset ?? "",
    },
  };
}

/** Runs the job as the scheduler does, in a process of its own. */
async function runJob(world: World, input: Readonly<Record<string, unknown>>): Promise<JobExit> {
  const { folder, address, peers, scheduler } = world;
  await using jobs = openProcessJobs({
    programs: { evaluation: join(import.meta.dirname, "evaluation-job.ts") },
    node: process.execPath,
    logFolder: join(folder, "logs"),
    environment: jobEnvironment(),
    clock: systemClock,
  });
  const common = {
    job: requestId(),
    fence: 1,
    role: "evaluation",
    scheduler,
    peers: { ...peers, evaluator: address, sync: "" },
    objects: join(folder, "objects"),
  };
  const job = await jobs.start({
    id: common.job,
    program: "evaluation",
    input: { ...common, ...input },
    environment: {},
  });
  return await job.exited;
}

async function recorded(world: World): Promise<Evaluation> {
  const name = world.completed.at(-1)?.outputs["evaluation"] ?? "";
  const { evaluation } = await world.evaluator.getEvaluation({ evaluation: name }, soon);
  assert.ok(evaluation !== undefined);
  assert.equal(evaluation.evaluation, name);
  return evaluation;
}

const metric = ({ metrics }: Evaluation, name: string, slice = ""): Metric =>
  metrics.find((one) => one.name === name && one.slice === slice)!;

test("a job measures a version beside its rivals, and the gate judges it", async (t) => {
  await using world = await openWorld();
  const { evaluator, verdicts, purposes } = world;
  const { good, live, harmful, input } = await prepare(world);

  await t.test("a good version is measured by slice, paired, and passes", async () => {
    const exit = await runJob(world, { ...input, version: good, liveVersion: live });
    assert.deepEqual(exit, { kind: "succeeded" });
    const evaluation = await recorded(world);
    const auc = metric(evaluation, "auc");
    assert.equal(auc.count, evaluation.rows);
    assert.ok(auc.candidate!.value > 0.8 && auc.fallback!.value < auc.candidate!.low);
    assert.deepEqual({ ...auc.versusLive, $typeName: "" }, { ...even, $typeName: "" });
    assert.ok(Math.abs(metric(evaluation, "calibration").candidate!.value - 1) < 0.1);
    assert.equal(metric(evaluation, "log-loss").fallback, undefined);
    assert.ok(metric(evaluation, "brier").candidate!.value < 0.1);
    const ndcg = metric(evaluation, "ndcg@10");
    assert.ok(ndcg.count > 400n && ndcg.count <= 500n, `${ndcg.count}`);
    assert.ok(ndcg.versusFallback!.low > 0);
    const slices = ["department=DELI", "department=DAIRY", "department=", "discounted"];
    for (const slice of slices) {
      assert.ok(metric(evaluation, "auc", slice).candidate!.value > 0.7, slice);
      assert.ok(metric(evaluation, "ndcg@10", slice).count > 0n, slice);
    }
    const parts = slices.slice(0, 3).map((slice) => metric(evaluation, "auc", slice).count);
    assert.equal(
      parts.reduce((sum, count) => sum + count, 0n),
      evaluation.rows,
    );
    assert.ok(evaluation.dataChecks.every(({ holds }) => holds));
    assert.ok(evaluation.rowsPerCpuSecond > 0);
    assert.deepEqual(new Set(purposes), new Set(["ranking"]));

    const request = { requestId: requestId(), evaluation: evaluation.evaluation };
    const { verdict, checks } = await evaluator.gate(request, soon);
    assert.equal(verdict, "pass", JSON.stringify(checks.map(({ explanation }) => explanation)));
    assert.deepEqual(verdicts.at(-1)?.failedChecks, []);
    assert.equal(verdicts.at(-1)?.version, good);
  });

  await t.test("harm and vanished discounts are refused in words", async () => {
    const exit = await runJob(world, { ...input, version: harmful, liveVersion: live });
    assert.deepEqual(exit, { kind: "succeeded" });
    const { evaluation } = await recorded(world);
    const { verdict } = await evaluator.gate({ requestId: requestId(), evaluation }, soon);
    assert.equal(verdict, "fail");
    const words = verdicts.at(-1)?.failedChecks.join("\n") ?? "";
    assert.match(words, /^auc-vs-live: AUC fell by 0\.\d+ \(.*; a drop of 0\.005 at most/m);
    assert.match(words, /^beats-fallback: AUC is 0\.\d+ below/m);
    assert.match(words, /^data-checks: positives in discounted vanished: from 61 % to 0 %/m);
  });

  await t.test("without a live version and a ranking, the first one is measured too", async () => {
    const none = { liveVersion: "", rankingDataset: "", referenceDataset: "" };
    const exit = await runJob(world, { ...input, ...none, version: good });
    assert.deepEqual(exit, { kind: "succeeded" });
    const evaluation = await recorded(world);
    assert.equal(metric(evaluation, "auc").versusLive, undefined);
    assert.equal(metric(evaluation, "ndcg@10"), undefined);
    assert.deepEqual(evaluation.dataChecks, []);
  });

  await t.test("a dataset without rows measures nothing", async () => {
    world.datasets.set("empty", { dataset: "empty", model: definition.name });
    const exit = await runJob(world, {
      ...input,
      dataset: "empty",
      version: good,
      liveVersion: "",
    });
    assert.equal(exit.kind === "failed" && exit.reason, "EMPTY_DATASET");
  });

  await t.test("an unknown key of the input is refused", async () => {
    const exit = await runJob(world, { ...input, version: good, liveVersion: "", more: 1 });
    assert.equal(exit.kind === "failed" && exit.reason, "JOB_INPUT_INVALID");
  });
});

/** Two versions that rank alike. */
const even = { value: 0, low: 0, high: 0 };
