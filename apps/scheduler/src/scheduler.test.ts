import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Gang } from "@heddle/jobclient";
import { type PipelineRun, Status, type StepRun } from "@heddle/proto/scheduler";
import { call, online, openWorld, pipeline, pipelineOf } from "./fixtures/world.ts";

const ended = (run: PipelineRun): boolean =>
  [Status.SUCCEEDED, Status.FAILED, Status.CANCELLED].includes(run.status);
const stepOf = (run: PipelineRun, name: string): StepRun => run.steps.find((s) => s.step === name)!;
const inputOf = (run: PipelineRun, step: string) =>
  JSON.parse(stepOf(run, step).outputs["input"] ?? "{}") as Record<string, unknown>;
const reasons = (run: PipelineRun, step: string): string[] =>
  stepOf(run, step).attempts.map(({ reason }) => reason);
const building = pipelineOf("dataset", "holdout");
const training = pipelineOf("dataset", "train");
const fences = (run: PipelineRun, step: string) => inputOf(run, step)["fence"] as number;

test("a submitted run goes through its steps in order, hands outputs on and is published", async () => {
  await using world = await openWorld();
  await using host = await world.start();
  const id = await host.submit("49");
  assert.equal(id, "grocer/49");
  assert.equal(await host.submit("49"), id);
  const run = await host.until(id, ended);
  assert.equal(run.status, Status.SUCCEEDED);
  assert.deepEqual(
    run.steps.map(({ step, status }) => [step, status]),
    Object.keys(pipeline.steps).map((step) => [step, Status.SUCCEEDED]),
  );
  const { modelDefinitionJson, ...dataset } = inputOf(run, "dataset");
  assert.match(String(modelDefinitionJson), /partitioning/);
  assert.deepEqual(
    [dataset["fromPartition"], dataset["toPartition"], dataset["use"], dataset["role"]],
    ["1", "49", "training", "dataset"],
  );
  assert.equal(inputOf(run, "holdout")["fromPartition"], "50");
  const learner = inputOf(run, "train");
  assert.deepEqual(
    [learner["configuration"], learner["parentVersion"], learner["shards"], learner["dataset"]],
    ["c1", "", 2, stepOf(run, "dataset").outputs["dataset"]],
  );
  assert.equal("executor" in learner, false);
  assert.deepEqual(JSON.parse(stepOf(run, "train").outputs["gang"] ?? ""), {
    "shard-0": "shard-0:1",
    "shard-1": "shard-1:1",
  });
  assert.deepEqual(
    world.peers.published.map(({ version, fleet }) => [version, fleet]),
    [["v2", "main"]],
  );
  await using again = await world.start();
  const { runs } = await again.scheduler.listPipelineRuns({ pipeline: "grocer" }, call);
  assert.deepEqual(
    runs.map(({ pipelineRun, status }) => [pipelineRun, status]),
    [[id, Status.SUCCEEDED]],
  );
});

test("with a live version a run continues it on its window alone, a variant reads its branches, a refusal skips", async () => {
  await using world = await openWorld();
  await using host = await world.start();
  world.peers.live = { version: "v1", dataset: "d1" };
  world.peers.verdict = "fail";
  const branches = { purchases: "no-discounts" };
  const id = await host.submit("51", { variant: "no-discounts", branches });
  const run = await host.until(id, ended);
  assert.equal(id, "grocer/51/no-discounts");
  assert.deepEqual([run.status, stepOf(run, "publish").status], [Status.SUCCEEDED, Status.SKIPPED]);
  assert.deepEqual(
    [inputOf(run, "dataset")["fromPartition"], inputOf(run, "dataset")["branches"]],
    ["51", branches],
  );
  assert.deepEqual(inputOf(run, "holdout")["branches"], {});
  assert.equal(inputOf(run, "train")["parentVersion"], "v1");
  const { version, liveVersion, referenceDataset, rankingDataset } = inputOf(run, "evaluate");
  assert.deepEqual(
    [version, liveVersion, referenceDataset, rankingDataset],
    ["v2", "v1", "d1", ""],
  );
  assert.equal(world.peers.published.length, 0);
});

test("a job that fails for now, vanishes or leaves without a result is replaced after a backoff", async () => {
  await using world = await openWorld();
  await using host = await world.start({
    "dataset/1/dataset": "fail-for-now",
    "dataset/2/dataset": "die",
    "holdout/1/dataset": "leave",
  });
  const run = await host.until(await host.submit("49", {}, building), ended);
  assert.equal(run.status, Status.SUCCEEDED);
  assert.deepEqual(reasons(run, "dataset"), ["AWAY", "JOB_LOST", ""]);
  assert.deepEqual(reasons(run, "holdout"), ["NOT_COMPLETED", ""]);
});

test("a job without heartbeats is stopped when its lease ends, and replaced", async () => {
  await using world = await openWorld();
  await using host = await world.start({ "dataset/1/dataset": "hang" }, { leaseMs: 2_000 });
  const run = await host.until(await host.submit("49", {}, pipelineOf("dataset")), ended);
  assert.deepEqual(reasons(run, "dataset"), ["LEASE_EXPIRED", ""]);
});

test("a gang that loses a member starts again as a whole, with a higher fence", async () => {
  await using world = await openWorld();
  const acts = { "train/1/shard-1": "die", "train/1/learner": "wait" };
  // Long enough that on a busy machine no lease ends before the loss is seen.
  await using host = await world.start(acts, { leaseMs: 5_000 });
  const run = await host.until(await host.submit("49"), ended);
  assert.deepEqual(reasons(run, "train"), ["JOB_LOST", ""]);
  assert.match(stepOf(run, "train").attempts[0]!.error, /^job shard-1 vanished/);
  assert.ok(fences(run, "train") > Math.max(fences(run, "dataset"), fences(run, "holdout")) + 1);
  // A job says that it is done before it ends: nothing is left over but what is about to go.
  while (host.running().length > 0) await sleep(10);
});

for (const how of ["SIGKILL", "SIGSTOP"] as const) {
  test(`a shard lost by ${how} is replaced alone where the learner follows the gang, and the run says so`, async () => {
    await using world = await openWorld();
    await using host = await world.start({ "train/1/shard-1": "tell-pid", "train/1/learner": how });
    const run = await host.until(await host.submit("49", {}, training), ended);
    assert.deepEqual(reasons(run, "train"), [""]);
    const [loss, ...more] = stepOf(run, "train").attempts[0]!.losses;
    assert.deepEqual([loss?.role, loss?.life, more.length], ["shard-1", 1, 0]);
    assert.match(
      loss?.error ?? "",
      how === "SIGKILL" ? /shard-1 vanished.*SIGKILL/ : /no heartbeat/,
    );
    assert.ok(Number(loss?.lostTimeMs) >= Number(run.createdTimeMs));
    const gang = JSON.parse(stepOf(run, "train").outputs["gang"] ?? "") as Gang;
    assert.deepEqual([gang.losses, gang.replacements["shard-1"]?.life], [1, 1]);
    assert.deepEqual(gang.addresses, { "shard-0": "shard-0:1", "shard-1": "shard-1:1" });
    const job = "grocer/49/train/1/shard-1";
    const refused = { code: "ABORTED", reason: "FENCED" };
    await assert.rejects(host.scheduler.heartbeat({ job, fence: 3n }, call), refused);
  });
}

test("with more losses than an attempt may have, it ends", async () => {
  await using world = await openWorld();
  const acts = { "train/1/shard-1": "tell-pid", "train/1/learner": "SIGKILL" };
  await using host = await world.start(acts, { lossesMax: 0 });
  const run = await host.until(await host.submit("49", {}, training), ended);
  assert.deepEqual(reasons(run, "train"), ["JOB_LOST", ""]);
});

test("a failure that no retry helps fails the run; resumed, it goes on from the failed step", async () => {
  await using world = await openWorld();
  await using host = await world.start({ "train/1/learner": "fail" });
  const id = await host.submit("49", {}, training);
  const failed = await host.until(id, ended);
  assert.deepEqual([failed.status, stepOf(failed, "train").status], [Status.FAILED, Status.FAILED]);
  assert.match(stepOf(failed, "train").attempts[0]!.error, /no rows: widen the window/);
  await assert.rejects(host.scheduler.cancelRun({ requestId: "c", pipelineRun: id }, call), {
    code: "FAILED_PRECONDITION",
    reason: "RUN_ENDED",
  });
  await host.scheduler.resumeRun({ requestId: "r", pipelineRun: id }, call);
  const run = await host.until(id, ({ status }) => status === Status.SUCCEEDED);
  assert.deepEqual(
    [stepOf(run, "dataset").attempts.length, reasons(run, "train")],
    [1, ["NO_ROWS", ""]],
  );
});

test("cancelling stops the jobs, and what a stopped job still says is refused", async () => {
  await using world = await openWorld();
  await using host = await world.start({
    "dataset/1/dataset": "wait",
    "holdout/1/dataset": "wait",
  });
  const id = await host.submit("49");
  await host.until(id, (run) => stepOf(run, "dataset").progress?.message === "wait");
  await host.scheduler.cancelRun({ requestId: "c", pipelineRun: id, reason: "enough" }, call);
  const run = await host.until(id, ended);
  assert.deepEqual([run.status, stepOf(run, "train").status], [Status.CANCELLED, Status.CANCELLED]);
  assert.equal(stepOf(run, "dataset").attempts[0]!.error, "enough");
  const job = "grocer/49/dataset/1/dataset";
  const fenced = { code: "ABORTED", reason: "FENCED" };
  await assert.rejects(host.scheduler.complete({ job, fence: 1n }, call), fenced);
  await assert.rejects(host.scheduler.complete({ job, fence: 9n }, call), fenced);
  for (const unknown of ["grocer/49/dataset/2/dataset", "grocer/50/dataset/1/dataset", "x"]) {
    const refused = { code: "NOT_FOUND", reason: "UNKNOWN_JOB" };
    await assert.rejects(host.scheduler.heartbeat({ job: unknown, fence: 1n }, call), refused);
    await assert.rejects(host.scheduler.awaitGang({ job: unknown, fence: 1n }, call), refused);
    await assert.rejects(host.scheduler.complete({ job: unknown, fence: 1n }, call), {
      reason: unknown.includes("/49/") ? "FENCED" : "UNKNOWN_JOB",
    });
  }
  await host.scheduler.resumeRun({ requestId: "r", pipelineRun: id }, call);
  const done = await host.until(id, ({ status }) => status === Status.SUCCEEDED);
  assert.deepEqual(reasons(done, "dataset"), ["CANCELLED", ""]);
});

test("the next scheduler takes over what the last one left, tries it again, and fences its jobs", async () => {
  await using world = await openWorld();
  let id: string;
  {
    await using host = await world.start({ "train/1/learner": "wait" });
    id = await host.submit("49");
    assert.equal(await host.submit("50"), "grocer/50");
    await host.until(id, (run) => stepOf(run, "train").progress?.message === "wait");
    const { run } = await host.scheduler.getPipelineRun({ pipelineRun: "grocer/50" }, call);
    assert.equal(run?.status, Status.PENDING, "runs of one pipeline go one after another");
  }
  await using host = await world.start();
  const run = await host.until(id, ended);
  assert.deepEqual(reasons(run, "train"), ["SCHEDULER_RESTARTED", ""]);
  assert.equal(stepOf(run, "dataset").attempts.length, 1);
  const stale = { job: `${id}/train/1/learner`, fence: 3n, outputs: { version: "stale" } };
  await assert.rejects(host.scheduler.complete(stale, call), { reason: "FENCED" });
  const next = await host.until("grocer/50", ended);
  assert.equal(inputOf(next, "train")["parentVersion"], "v2");
});

test("a run submitted again says whether its definitions are still the newest", async () => {
  await using world = await openWorld();
  await using host = await world.start();
  const { scheduler } = host;
  await host.submit("49");
  const request = { requestId: "again", pipeline: "grocer", window: "49" };
  const again = async (requestId: string) =>
    (await scheduler.submitRun({ ...request, requestId }, call)).definitionsChanged;
  assert.equal(await again("again"), false);
  const changed = { ...pipeline, retries: { ...pipeline.retries, attemptsMax: 2 } };
  const definitionJson = JSON.stringify(changed);
  await scheduler.applyPipeline({ requestId: "changed", definitionJson }, call);
  assert.equal(await again("again"), true);
  assert.equal(await again("another"), true);
  const fresh = { ...request, requestId: "new", variant: "new" };
  assert.equal((await scheduler.submitRun(fresh, call)).definitionsChanged, false);
});

test("what cannot be submitted is refused with its reason", async () => {
  await using world = await openWorld();
  await using host = await world.start();
  const { scheduler } = host;
  await host.submit("49", { variant: "a", branches: { purchases: "b" } });
  const request = { requestId: "s", pipeline: "grocer", window: "49" };
  const refused: [Parameters<typeof scheduler.submitRun>[0], string][] = [
    [{ ...request, pipeline: "grocery" }, "UNKNOWN_PIPELINE"],
    [{ ...request, window: "w49" }, "WINDOW_INVALID"],
    [{ ...request, variant: "a/b" }, "VARIANT_INVALID"],
    [{ ...request, variant: "a" }, "RUN_DIFFERS"],
    [{ ...request, requestId: "" }, "REQUEST_ID_MISSING"],
  ];
  for (const [wrong, reason] of refused) {
    await assert.rejects(scheduler.submitRun(wrong, call), { reason });
  }
  await assert.rejects(scheduler.submitRun({ ...request, pipeline: "grocr" }, call), {
    message: 'there is no pipeline "grocr": did you mean "grocer"?',
  });
  await assert.rejects(scheduler.submitRun({ ...request, pipeline: "weather" }, call), {
    message: /"weather": there is .*grocer.*; apply its definition first/,
  });
  const other = JSON.stringify({ ...pipeline, name: "other", model: "unknown" });
  await scheduler.applyPipeline({ requestId: "o", definitionJson: other }, call);
  await assert.rejects(scheduler.submitRun({ ...request, pipeline: "other" }, call), {
    reason: "UNKNOWN_MODEL",
  });
  const unknown = { code: "NOT_FOUND", reason: "UNKNOWN_PIPELINE_RUN" };
  const pipelineRun = "grocer/1";
  await assert.rejects(scheduler.getPipelineRun({ pipelineRun }, call), unknown);
  await assert.rejects(scheduler.resumeRun({ requestId: "x", pipelineRun }, call), unknown);
  await assert.rejects(async () => {
    for await (const _ of scheduler.watchPipelineRun({ pipelineRun }, call)) assert.fail("a run");
  }, unknown);
});

test("windows of the event log are learnt one behind the other, also from a version that the gate refused", async () => {
  await using world = await openWorld();
  await using host = await world.start();
  world.peers.live = { version: "v1", dataset: "d1" };
  world.peers.verdict = "fail";
  const first = await host.until(await host.submit("0", {}, online), ended);
  const second = await host.until(await host.submit("2", {}, online), ended);
  assert.deepEqual([first.status, second.status], [Status.SUCCEEDED, Status.SUCCEEDED]);
  const parents = [first, second].map((run) => inputOf(run, "train")["parentVersion"]);
  assert.deepEqual(parents, ["v1", "v2"]);
  const { modelDefinitionJson, fromPartition, toPartition } = inputOf(second, "dataset");
  assert.deepEqual([fromPartition, toPartition], ["2", "3"]);
  const { examples, partitioning } = JSON.parse(String(modelDefinitionJson)) as Record<
    string,
    object
  >;
  assert.deepEqual(partitioning, { by: "log" });
  assert.deepEqual(examples, { kind: "rows", source: "clicks", label: "clicked" });
  const holdout = inputOf(second, "holdout");
  assert.deepEqual([holdout["fromPartition"], holdout["toPartition"]], ["4", "4"]);
  await assert.rejects(host.submit("-1", {}, online), {
    reason: "WINDOW_INVALID",
    message: /number of a window of the event log/,
  });
  const known = await host.scheduler.getPipeline({ pipeline: "online" }, call);
  assert.deepEqual(JSON.parse(known.definitionJson), online);
  await assert.rejects(host.scheduler.getPipeline({ pipeline: "none" }, call), {
    reason: "UNKNOWN_PIPELINE",
  });
});
