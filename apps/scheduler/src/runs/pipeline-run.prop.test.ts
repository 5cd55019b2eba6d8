import assert from "node:assert/strict";
import { test } from "node:test";
import { definePipeline, type PipelineDefinition, retraining, type Step } from "@heddle/sdk";
import fc from "fast-check";
import {
  attemptFailed,
  attemptsLost,
  attemptStarted,
  attemptSucceeded,
  begun,
  newRun,
  readySteps,
} from "./pipeline-run.ts";
import { cancelled, resumed } from "./run-end.ts";
import { runEnded, type RunState } from "./run-state.ts";

/** A random DAG: step n comes after some of the steps before it; the last one but one is a gate. */
const definitions = fc
  .array(fc.array(fc.nat(), { maxLength: 3 }), { minLength: 1, maxLength: 7 })
  .map((edges): PipelineDefinition => {
    const steps = edges.map((wanted, n): [string, Step] => {
      const after = n === 0 ? [] : [...new Set(wanted.map((w) => `s${w % n}`))];
      if (n === edges.length - 2) return [`s${n}`, { kind: "gate", evaluation: "s0", after }];
      return [
        `s${n}`,
        { kind: "build-dataset", partitions: { kind: "next" }, use: "training", after },
      ];
    });
    const retries = { attemptsMax: 3, initialMs: 10, maxMs: 100 };
    return definePipeline({
      name: "p",
      owner: "o",
      model: "m",
      steps: Object.fromEntries(steps),
      retries,
    });
  });

const events = fc.array(
  fc.record({
    kind: fc.constantFrom(
      "start",
      "start",
      "succeed",
      "succeed",
      "refuse",
      "fail",
      "give-up",
      "restart",
      "cancel",
      "resume",
    ),
    pick: fc.nat(),
  }),
  { maxLength: 80 },
);

function apply(run: RunState, kind: string, pick: number, now: number): RunState {
  const ready = readySteps(run);
  const live = run.steps.filter((step) => step.status === "running");
  const chosen = live[pick % Math.max(1, live.length)];
  const number = chosen?.attempts.at(-1)?.number ?? 0;
  const failure = { reason: "X", error: "x", retryable: kind === "fail" };
  if (kind === "start") {
    const step = ready[pick % Math.max(1, ready.length)];
    return step === undefined ? run : attemptStarted(run, step.step, now);
  }
  if (kind === "restart") return attemptsLost(run, now);
  if (kind === "cancel") return runEnded(run) ? run : cancelled(run, "", now);
  if (kind === "resume") return runEnded(run) ? resumed(run) : run;
  if (chosen === undefined) return run;
  if (kind === "succeed")
    return attemptSucceeded(run, chosen.step, number, { verdict: "pass" }, now);
  if (kind === "refuse")
    return attemptSucceeded(run, chosen.step, number, { verdict: "fail" }, now);
  return attemptFailed(run, chosen.step, number, failure, now, 0.5);
}

function checkInvariants(before: RunState, run: RunState): void {
  const status = new Map(run.steps.map((step) => [step.step, step.status]));
  for (const step of run.steps) {
    const after = run.definition.steps[step.step]?.after ?? [];
    if (step.status === "running" || step.status === "succeeded") {
      assert.ok(
        after.every((b) => status.get(b) === "succeeded"),
        `${step.step} ran too early`,
      );
    }
    const open = step.attempts.filter((attempt) => attempt.endedMs === undefined);
    assert.equal(open.length, step.status === "running" ? 1 : 0, "one live attempt at most");
    const numbers = step.attempts.map((attempt) => attempt.number);
    assert.deepEqual(
      numbers,
      [...new Set(numbers)].sort((a, b) => a - b),
    );
  }
  const fences = run.steps.flatMap((step) => step.attempts.map((attempt) => attempt.fence));
  assert.equal(new Set(fences).size, fences.length, "fences are unique");
  assert.ok(run.fence >= before.fence && fences.every((fence) => fence <= run.fence));
  if (runEnded(run)) assert.ok(run.steps.every((step) => step.status !== "running"));
  assert.equal(run.endedMs !== undefined, runEnded(run));
}

test("no interleaving runs a step before its dependencies, or two attempts of it at once; every run ends", () => {
  fc.assert(
    fc.property(definitions, events, (definition, happenings) => {
      const submission = {
        model: "m",
        window: "1",
        variant: "",
        branches: {},
        definition,
        configuration: "c",
      };
      let run = begun(newRun(submission, Object.keys(definition.steps), 0), "");
      let now = 0;
      for (const { kind, pick } of happenings) {
        const next = apply(run, kind, pick, (now += 1));
        checkInvariants(run, next);
        run = next;
      }
      for (let n = 0; n < 100 && !runEnded(run); n++) {
        const next = apply(apply(run, "start", 0, (now += 1)), "succeed", 0, now);
        checkInvariants(run, next);
        run = next;
      }
      assert.ok(runEnded(run), "the run ends");
    }),
    { numRuns: 300 },
  );
});

const usual = definePipeline({
  name: "p",
  owner: "o",
  model: "m",
  steps: retraining({ ranking: false }),
  retries: { attemptsMax: 2, initialMs: 100, maxMs: 150 },
});
const submission = {
  model: "m",
  window: "1",
  variant: "",
  branches: {},
  definition: usual,
  configuration: "c",
};
const opened = () => begun(newRun(submission, Object.keys(usual.steps), 0), "");
const through = (run: RunState, step: string, outputs = {}): RunState => {
  const next = attemptStarted(run, step, 1);
  return attemptSucceeded(
    next,
    step,
    next.steps.find((s) => s.step === step)?.attempts.at(-1)?.number ?? 0,
    outputs,
    2,
  );
};

test("after a gate that does not pass, publication is skipped and the run succeeds", () => {
  let run = opened();
  for (const step of ["dataset", "holdout", "train", "evaluate"]) run = through(run, step);
  run = through(run, "gate", { verdict: "not-enough-data" });
  assert.deepEqual([run.status, run.steps.at(-1)?.status], ["succeeded", "skipped"]);
});

test("a gate with nothing after it may refuse: the run has succeeded", () => {
  const steps = { gate: { kind: "gate", evaluation: "gate", after: [] } } as const;
  const submission = { model: "m", window: "1", variant: "", branches: {}, configuration: "c" };
  const run = newRun({ ...submission, definition: { ...usual, steps } }, ["gate"], 1);
  assert.equal(through(begun(run, ""), "gate", { verdict: "fail" }).status, "succeeded");
});

test("a step backs off as the definition says, gives up after its attempts, and the run fails", () => {
  const failure = { reason: "X", error: "x", retryable: true };
  let run = attemptStarted(attemptStarted(opened(), "dataset", 1), "holdout", 1);
  run = attemptFailed(run, "dataset", 1, failure, 1_000, 0);
  assert.deepEqual([run.steps[0]?.status, run.steps[0]?.retryAtMs], ["backing-off", 1_100]);
  run = attemptFailed(attemptStarted(run, "dataset", 1_100), "dataset", 2, failure, 1_200, 0);
  assert.deepEqual(
    [run.status, ...run.steps.map((step) => step.status)],
    ["failed", "failed", "cancelled", "cancelled", "cancelled", "cancelled", "cancelled"],
  );
  assert.equal(run.steps[1]?.attempts[0]?.reason, "RUN_FAILED");
  const again = resumed(run);
  assert.deepEqual(
    readySteps(again).map((step) => step.step),
    ["dataset", "holdout"],
  );
  const third = attemptFailed(
    attemptStarted(again, "dataset", 2_000),
    "dataset",
    3,
    failure,
    2_001,
    0,
  );
  assert.equal(third.steps[0]?.status, "backing-off");
});

test("attempts lost with their scheduler are tried again at no cost to the retries", () => {
  let run = opened();
  for (let n = 0; n < 50; n++) run = attemptsLost(attemptStarted(run, "dataset", n), n);
  const [dataset] = run.steps;
  assert.deepEqual(
    [run.status, dataset?.status, dataset?.attempts.at(-1)?.number],
    ["running", "pending", 50],
  );
  assert.equal(dataset?.attempts.length, 32);
});

test("the result of an attempt that was replaced is refused, its failure ignored", () => {
  let run = attemptStarted(opened(), "dataset", 1);
  run = attemptStarted(attemptsLost(run, 2), "dataset", 3);
  assert.throws(() => attemptSucceeded(run, "dataset", 1, {}, 4), {
    code: "ABORTED",
    reason: "FENCED",
  });
  assert.equal(
    attemptFailed(run, "dataset", 1, { reason: "X", error: "", retryable: false }, 4, 0),
    run,
  );
});

test("cancelling twice, and resuming what goes on, are refused; resuming what succeeded does nothing", () => {
  const stopped = cancelled(opened(), "enough", 5);
  assert.throws(() => cancelled(stopped, "", 6), { reason: "RUN_ENDED" });
  assert.throws(() => resumed(opened()), { reason: "RUN_NOT_ENDED" });
  let run = opened();
  for (const step of ["dataset", "holdout", "train", "evaluate", "gate", "publish"]) {
    run = through(run, step, { verdict: "pass" });
  }
  assert.equal(run.status, "succeeded");
  assert.equal(resumed(run), run);
});
