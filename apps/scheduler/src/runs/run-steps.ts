import { assert, HeddleError, present } from "@heddle/base";
import {
  type AttemptState,
  type Failure,
  runEnded,
  runId,
  type RunState,
  type StepState,
} from "./run-state.ts";

export function stepOf(run: RunState, name: string): StepState {
  return present(
    run.steps.find((step) => step.step === name),
    `step ${name}`,
  );
}

/** How many attempts it has had. */
export const attemptsOf = (step: StepState): number => step.attempts.at(-1)?.number ?? 0;

/** The attempt under way, if this is it. */
export function liveAttempt(
  run: RunState,
  step: string,
  attempt: number,
): AttemptState | undefined {
  const state = run.steps.find((other) => other.step === step);
  const newest = state?.attempts.at(-1);
  return state?.status === "running" && newest?.number === attempt ? newest : undefined;
}

/** The refusal that a job of a replaced attempt gets. */
export function fenced(run: RunState, step: string, attempt: number): HeddleError {
  return new HeddleError(
    "ABORTED",
    "FENCED",
    `attempt ${attempt} of step ${step} of ${runId(run)} is over: stop at once, its result does not count`,
  );
}

export function mapSteps(run: RunState, change: (step: StepState) => StepState): RunState {
  return { ...run, steps: run.steps.map(change) };
}

/** The run with one step changed, and ended where this was the last to do. */
export function withStep(run: RunState, changed: StepState, nowMs: number): RunState {
  const next = mapSteps(run, (step) => (step.step === changed.step ? changed : step));
  return settle(next, nowMs);
}

/** A run has succeeded when each step has, or was rightly not run. */
export function settle(run: RunState, nowMs: number): RunState {
  assert(!runEnded(run), `run ${runId(run)} is open`);
  const over = run.steps.every((step) => step.status === "succeeded" || step.status === "skipped");
  return over ? { ...run, status: "succeeded", endedMs: nowMs } : run;
}

/** The step with its newest attempt ended. */
export function endAttempt(
  step: StepState,
  nowMs: number,
  failure?: Pick<Failure, "reason" | "error">,
): StepState {
  const newest = present(step.attempts.at(-1), `the attempt of step ${step.step}`);
  const why = failure === undefined ? {} : { reason: failure.reason, error: failure.error };
  return {
    ...step,
    attempts: [...step.attempts.slice(0, -1), { ...newest, endedMs: nowMs, ...why }],
  };
}
