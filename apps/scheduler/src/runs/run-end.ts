import { HeddleError } from "@heddle/base";
import { stepsBefore } from "../pipelines/graph.ts";
import { type Failure, runEnded, runId, type RunState } from "./run-state.ts";
import { attemptsOf, endAttempt, mapSteps, settle } from "./run-steps.ts";

/** @throws {HeddleError} FAILED_PRECONDITION RUN_ENDED. */
export function cancelled(run: RunState, reason: string, nowMs: number): RunState {
  if (runEnded(run)) {
    throw new HeddleError(
      "FAILED_PRECONDITION",
      "RUN_ENDED",
      `pipeline run ${runId(run)} has ${run.status} already: there is nothing to cancel`,
    );
  }
  const why = { reason: "CANCELLED", error: reason === "" ? "cancelled by request" : reason };
  return { ...stopSteps(run, why, nowMs), status: "cancelled", endedMs: nowMs };
}

/**
 * Makes the steps of a failed or cancelled run that did not succeed ready again, with all their retries.
 *
 * @throws {HeddleError} FAILED_PRECONDITION RUN_NOT_ENDED.
 */
export function resumed(run: RunState): RunState {
  if (!runEnded(run)) {
    throw new HeddleError(
      "FAILED_PRECONDITION",
      "RUN_NOT_ENDED",
      `pipeline run ${runId(run)} still goes on: watch it, or cancel it first`,
    );
  }
  if (run.status === "succeeded") return run;
  const { endedMs: _, ...rest } = run;
  const again = mapSteps(rest, (step) =>
    step.status === "failed" || step.status === "cancelled"
      ? { ...step, status: "pending", uncounted: attemptsOf(step) }
      : step,
  );
  return { ...again, status: run.parent === undefined ? "pending" : "running" };
}

/** The run fails with one of its steps: what still runs is stopped. */
export function failed(run: RunState, cause: string, nowMs: number): RunState {
  const why = { reason: "RUN_FAILED", error: `stopped because step ${cause} failed` };
  return { ...stopSteps(run, why, nowMs), status: "failed", endedMs: nowMs };
}

/** After a gate that did not pass, nothing that comes after it is run. */
export function skippedAfter(run: RunState, gate: string, nowMs: number): RunState {
  const skipped = mapSteps(run, (step) =>
    step.status === "pending" && stepsBefore(run.definition, step.step).has(gate)
      ? { ...step, status: "skipped" }
      : step,
  );
  return settle(skipped, nowMs);
}

function stopSteps(run: RunState, why: Pick<Failure, "reason" | "error">, nowMs: number): RunState {
  return mapSteps(run, (step) => {
    if (step.status === "running") {
      return { ...endAttempt(step, nowMs, why), status: "cancelled" };
    }
    if (step.status !== "pending" && step.status !== "backing-off") return step;
    const { retryAtMs: _, ...rest } = step;
    return { ...rest, status: "cancelled" };
  });
}
