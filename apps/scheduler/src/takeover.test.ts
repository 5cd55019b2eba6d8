import assert from "node:assert/strict";
import { test } from "node:test";
import { type PipelineRun, Status } from "@heddle/proto/scheduler";
import { startTelemetry } from "@heddle/telemetry";
import { call, openWorld, pipelineOf } from "./fixtures/world.ts";

const succeeded = ({ status }: PipelineRun): boolean => status === Status.SUCCEEDED;
const stepOf = (run: PipelineRun, name: string) => run.steps.find(({ step }) => step === name)!;
const traceOf = (traceparent: string | undefined) => traceparent?.split("-")[1];

test("a run keeps its trace through its jobs and through the death of its scheduler", async () => {
  await using telemetry = await startTelemetry({ service: "test", logLevel: "silent" });
  await using world = await openWorld(telemetry);
  let id: string;
  {
    await using host = await world.start({ "train/1/learner": "wait" });
    id = await host.submit("49");
    await host.until(id, (run) => stepOf(run, "train").progress?.message === "wait");
  }
  await using host = await world.start();
  const run = await host.until(id, succeeded);
  const trace = traceOf(run.traceparent);
  assert.match(trace ?? "", /^[0-9a-f]{32}$/);
  for (const step of ["dataset", "train", "evaluate"]) {
    const { traceparent, input } = stepOf(run, step).outputs;
    assert.equal(traceOf(traceparent), trace, `environment of ${step}`);
    assert.equal(traceOf((JSON.parse(input ?? "") as PipelineRun).traceparent), trace);
  }
});

test("a scheduler whose run another one took over writes nothing more to it", async () => {
  await using world = await openWorld();
  await using old = await world.start({ "dataset/1/dataset": "wait", "holdout/1/dataset": "wait" });
  const id = await old.submit("49", {}, pipelineOf("dataset", "holdout"));
  await old.until(id, (run) => stepOf(run, "holdout").progress?.message === "wait");
  await using heir = await world.start();
  const run = await heir.until(id, succeeded);
  assert.deepEqual(
    stepOf(run, "dataset").attempts.map(({ reason }) => reason),
    ["SCHEDULER_RESTARTED", ""],
  );
  const late = { job: `${id}/dataset/1/dataset`, fence: 1n, outputs: { dataset: "stale" } };
  await assert.rejects(old.scheduler.complete(late, call), { reason: "FENCED" });
  const { run: now } = await heir.scheduler.getPipelineRun({ pipelineRun: id }, call);
  assert.equal(now?.revision, run.revision);
});

test("a watch resumed at a revision tells only what came after it", async () => {
  await using world = await openWorld();
  await using host = await world.start();
  const id = await host.submit("49", {}, pipelineOf("dataset"));
  const run = await host.until(id, succeeded);
  const seen: bigint[] = [];
  const before = { pipelineRun: id, revision: run.revision - 1n };
  for await (const { run: shown } of host.scheduler.watchPipelineRun(before, call)) {
    seen.push(shown?.revision ?? 0n);
  }
  assert.deepEqual(seen, [run.revision]);
  const at = { pipelineRun: id, revision: run.revision };
  for await (const _ of host.scheduler.watchPipelineRun(at, call)) assert.fail("nothing is newer");
});

test("a publication that is refused fails the run with the reason, and is not tried again", async () => {
  await using world = await openWorld();
  world.peers.refusal = "VERSION_NOT_PASSED";
  await using host = await world.start();
  const id = await host.submit("49");
  const run = await host.until(id, ({ status }) => status === Status.FAILED);
  const [attempt] = stepOf(run, "publish").attempts;
  assert.deepEqual(
    [attempt?.reason, stepOf(run, "publish").attempts.length],
    ["VERSION_NOT_PASSED", 1],
  );
});
