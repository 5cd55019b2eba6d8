import assert from "node:assert/strict";
import { test } from "node:test";
import { computingBar, stagesOf, together, waitingLine } from "./waiting.ts";

const training = (
  wallSeconds: number,
  bottleneck: string,
  stageShares: Record<string, number>,
) => ({
  ...{ wallSeconds, bottleneck, stageShares },
});

test("what trainings waited for is summed by their wall time", () => {
  const both = together([
    training(10, "push", { start: 0.1, compute: 0.5, push: 0.3, pull: 0.1 }),
    training(30, "pull", { start: 0.1, compute: 0.3, push: 0.1, pull: 0.5 }),
  ]);
  assert.equal(waitingLine(both), "computing 35 %, waiting most for pull (40 %), starting 10 %");
  assert.equal(computingBar(both, 10), "████░░░░░░");
});

test("a learner that computes all the time waits for nothing", () => {
  const busy = training(1, "compute", { compute: 0.95, read: 0.05 });
  assert.equal(waitingLine(busy), "computing 95 %, hardly waiting");
});

test("a version of an earlier release says what it knows", () => {
  assert.equal(waitingLine(training(1, "", { compute: 0.5, pull: 0.5 })), "computing 50 %");
  assert.deepEqual(together([]).stageShares, {});
});

test("stages come in the order of a step, unknown ones last", () => {
  const names = stagesOf({ stageShares: { wait: 0, push: 0, compute: 0, start: 0 } });
  assert.deepEqual(
    names.map(([name]) => name),
    ["start", "compute", "push", "wait"],
  );
});
