import type { Histogram } from "@heddle/telemetry";
import type { AttemptDeps } from "../attempts/attempt.ts";
import type { Slots } from "../attempts/slots.ts";
import { attemptsLost } from "../runs/pipeline-run.ts";
import { runEnded, type RunState } from "../runs/run-state.ts";
import type { KnownRun, RunStore } from "../store.ts";
import type { Waits } from "./waits.ts";

export interface DriverDeps extends AttemptDeps {
  readonly runs: RunStore;
  readonly random: () => number;
  readonly slots: Slots;
  readonly attemptSeconds: Histogram;
  readonly waits: Waits;
}

/** A run that this scheduler drives, and no other can. */
export interface DrivenRun {
  readonly id: string;
  /** Records a change under this driver's fence; `what` is unique to the change. */
  readonly change: (what: string, decide: (run: RunState) => RunState) => Promise<KnownRun>;
}

/** Raises the run's fence, so that no other scheduler can write to it, and notes what was under way as lost. */
export async function takeOver(
  id: string,
  { runs, clock, telemetry }: DriverDeps,
): Promise<DrivenRun & Pick<KnownRun, "state">> {
  const before = await runs.get(id);
  const fence = before.fence + 1;
  const change: DrivenRun["change"] = (what, decide) =>
    runs.change(id, decide, changeContext(fence, what, telemetry.traceparent()), fence);
  if (runEnded(before.state)) return { id, change, state: before.state };
  const { state } = await change("taken-over", (run) => attemptsLost(run, clock.now()));
  return { id, change, state };
}

function changeContext(fence: number, what: string, traceparent: string | undefined) {
  const trace = traceparent === undefined ? {} : { traceparent };
  return { requestId: `drive/${fence}/${what}`, request: what, actor: "scheduler", ...trace };
}
