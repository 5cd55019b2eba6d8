import assert from "node:assert/strict";
import { test } from "node:test";
import { type PipelineRun, Status } from "@heddle/proto/scheduler";
import { call, openWorld, pipelineOf } from "./fixtures/world.ts";

const succeeded = ({ status }: PipelineRun): boolean => status === Status.SUCCEEDED;
const waiting = ({ steps }: PipelineRun): boolean => steps[0]?.progress?.message === "wait";
const dataset = pipelineOf("dataset");

test("a run that cannot be written says why, to who watches it and in the list, and goes on once it can", async () => {
  await using world = await openWorld();
  await using host = await world.start({ "dataset/1/dataset": "wait" });
  const id = await host.submit("49", {}, dataset);
  await host.until(id, waiting);
  world.disk.isFull = true;
  await host.stopJobs();
  const stuck = await host.until(id, ({ waitsFor }) => waitsFor !== "");
  assert.equal(stuck.waitsFor, "the store is full: free space");
  const { runs } = await host.scheduler.listPipelineRuns({}, call);
  assert.deepEqual(
    runs.map(({ pipelineRun, waitsFor }) => [pipelineRun, waitsFor]),
    [[id, stuck.waitsFor]],
  );
  world.disk.isFull = false;
  assert.equal((await host.until(id, succeeded)).waitsFor, "");
});

test("a run behind another of its pipeline says so until it is its turn, submitted again or not", async () => {
  await using world = await openWorld();
  await using host = await world.start({ "dataset/1/dataset": "wait" });
  const first = await host.submit("49", {}, dataset);
  await host.until(first, waiting);
  const second = await host.submit("50", {}, dataset);
  const behind = await host.until(second, ({ waitsFor }) => waitsFor !== "");
  assert.equal(behind.waitsFor, `it follows ${first}`);
  assert.equal(await host.submit("49", {}, dataset), first);
  const { run } = await host.scheduler.getPipelineRun({ pipelineRun: first }, call);
  assert.equal(run?.waitsFor, "");
  await host.stopJobs();
  await host.until(first, succeeded);
  const its = await host.until(second, waiting);
  assert.equal(its.waitsFor, "");
});
