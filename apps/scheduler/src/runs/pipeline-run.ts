import { type Backoff, backoffMs, present } from "@heddle/base";
import { failed, skippedAfter } from "./run-end.ts";
import {
  type AttemptState,
  attemptsKeptMax,
  type Failure,
  type MemberLoss,
  type Outputs,
  runEnded,
  type RunState,
  type StepState,
} from "./run-state.ts";
import {
  attemptsOf,
  endAttempt,
  fenced,
  liveAttempt,
  mapSteps,
  stepOf,
  withStep,
} from "./run-steps.ts";

/** What a submission fixes. */
export type Submission = Pick<
  RunState,
  "model" | "window" | "variant" | "branches" | "definition" | "configuration" | "traceparent"
>;

/** The first state of a run. `order` holds the steps as the definition wrote them. */
export function newRun(submission: Submission, order: readonly string[], nowMs: number): RunState {
  const { definition } = submission;
  return {
    ...submission,
    pipeline: definition.name,
    status: "pending",
    steps: order.map((step) => ({
      step,
      kind: present(definition.steps[step], step).kind,
      status: "pending",
      attempts: [],
      uncounted: 0,
      outputs: {},
    })),
    fence: 0,
    createdMs: nowMs,
  };
}

/** The run's turn has come: what was live then is its parent, also for later attempts. */
export function begun(run: RunState, parent: string): RunState {
  return run.parent === undefined && !runEnded(run) ? { ...run, parent, status: "running" } : run;
}

/** Steps that an attempt may start now or after their backoff: all before them have succeeded. */
export function readySteps(run: RunState): readonly StepState[] {
  if (runEnded(run) || run.parent === undefined) return [];
  return run.steps.filter(
    (step) =>
      (step.status === "pending" || step.status === "backing-off") &&
      (run.definition.steps[step.step]?.after ?? []).every(
        (before) => stepOf(run, before).status === "succeeded",
      ),
  );
}

/** Starts a step's next attempt, with a higher fence than any before. The step must be ready. */
export function attemptStarted(run: RunState, name: string, nowMs: number): RunState {
  const step = present(
    readySteps(run).find((ready) => ready.step === name),
    `the readiness of step ${name}`,
  );
  const fence = run.fence + 1;
  const attempt: AttemptState = { number: attemptsOf(step) + 1, fence, startedMs: nowMs };
  const attempts = [...step.attempts, attempt].slice(-attemptsKeptMax);
  const { retryAtMs: _, ...rest } = step;
  return withStep({ ...run, fence }, { ...rest, status: "running", attempts }, nowMs);
}

/** A member of an attempt's gang is replaced alone, and the attempt goes on; nothing, when it is over. */
export function memberLost(
  run: RunState,
  name: string,
  number: number,
  loss: MemberLoss,
): RunState {
  const attempt = liveAttempt(run, name, number);
  if (attempt === undefined) return run;
  const step = stepOf(run, name);
  const now = { ...attempt, losses: [...(attempt.losses ?? []), loss] };
  const changed = { ...step, attempts: [...step.attempts.slice(0, -1), now] };
  return mapSteps(run, (other) => (other.step === name ? changed : other));
}

/**
 * Ends an attempt with its outputs. After a gate that did not pass, all that comes after it is skipped.
 *
 * @throws {HeddleError} ABORTED FENCED when the attempt is no longer the one under way.
 */
export function attemptSucceeded(
  run: RunState,
  name: string,
  number: number,
  outputs: Outputs,
  nowMs: number,
): RunState {
  if (liveAttempt(run, name, number) === undefined) throw fenced(run, name, number);
  const ended = endAttempt(stepOf(run, name), nowMs);
  const done: StepState = { ...ended, status: "succeeded", outputs };
  const next = withStep(run, done, nowMs);
  // With nothing left to do the run has ended, and there is nothing to skip.
  const refused = done.kind === "gate" && outputs["verdict"] !== "pass" && !runEnded(next);
  return refused ? skippedAfter(next, name, nowMs) : next;
}

/** Ends an attempt that did not succeed: the step backs off, or gives up and the run fails with it. */
export function attemptFailed(
  run: RunState,
  name: string,
  number: number,
  failure: Failure,
  nowMs: number,
  random: number,
): RunState {
  if (liveAttempt(run, name, number) === undefined) return run;
  const step = endAttempt(stepOf(run, name), nowMs, failure);
  const { attemptsMax, initialMs, maxMs } = run.definition.retries;
  const tries = attemptsOf(step) - step.uncounted;
  if (!failure.retryable || tries >= attemptsMax) {
    return failed(withStep(run, { ...step, status: "failed" }, nowMs), name, nowMs);
  }
  const backoff: Backoff = { initialMs, maxMs, multiplier: 2, jitter: 0.2 };
  const retryAtMs = nowMs + Math.round(backoffMs(backoff, tries, random));
  return withStep(run, { ...step, status: "backing-off", retryAtMs }, nowMs);
}

/** What an earlier scheduler left running is lost with it; the steps are ready again, at no cost to their retries. */
export function attemptsLost(run: RunState, nowMs: number): RunState {
  const failure = {
    reason: "SCHEDULER_RESTARTED",
    error: "the scheduler that ran this attempt is gone; the step is tried again",
  };
  return mapSteps(run, (step) => {
    if (step.status !== "running") return step;
    const ended = endAttempt(step, nowMs, failure);
    return { ...ended, status: "pending", uncounted: ended.uncounted + 1 };
  });
}
