import type { MessageInitShape } from "@bufbuild/protobuf";
import type { PipelineRunSchema } from "@heddle/proto/scheduler";
import type { LiveAttempts } from "../attempts/live-attempts.ts";
import type { Waits } from "../driver/waits.ts";
import { lossMessage, statusOf } from "../runs/run-events.ts";
import type { StepState } from "../runs/run-state.ts";
import type { KnownRun } from "../store.ts";

/** What is shown of runs and not kept. */
export interface Shown {
  readonly live: LiveAttempts;
  readonly waits: Waits;
}

/** A run as others see it, with the progress of the jobs that run here now. */
export function runMessage(
  { id, state, revision }: KnownRun,
  { live, waits }: Shown,
): MessageInitShape<typeof PipelineRunSchema> {
  return {
    pipelineRun: id,
    pipeline: state.pipeline,
    model: state.model,
    window: state.window,
    variant: state.variant,
    status: statusOf[state.status],
    steps: state.steps.map((step) => stepMessage(id, step, live)),
    revision: BigInt(revision),
    createdTimeMs: BigInt(state.createdMs),
    endedTimeMs: BigInt(state.endedMs ?? 0),
    traceparent: state.traceparent ?? "",
    waitsFor: waits.of(id),
  };
}

function stepMessage(id: string, step: StepState, live: LiveAttempts) {
  const progress = step.status === "running" ? live.progress(id, step.step) : undefined;
  return {
    step: step.step,
    kind: step.kind,
    status: statusOf[step.status],
    attempts: step.attempts.map((attempt) => ({
      number: attempt.number,
      startedTimeMs: BigInt(attempt.startedMs),
      endedTimeMs: BigInt(attempt.endedMs ?? 0),
      error: attempt.error ?? "",
      reason: attempt.reason ?? "",
      losses: (attempt.losses ?? []).map(lossMessage),
    })),
    outputs: { ...step.outputs },
    ...(progress === undefined ? {} : { progress: { ...progress } }),
  };
}
