import { create, type JsonObject, toJson } from "@bufbuild/protobuf";
import {
  type PipelineEvent,
  PipelineEventSchema,
  PipelineRunEventSchema,
  Status,
} from "@heddle/proto/scheduler";
import { eventTopics } from "@heddle/eventlog";
import type { DomainEvent } from "@heddle/store";
import {
  type MemberLoss,
  runId,
  type RunState,
  type RunStatus,
  type StepState,
  type StepStatus,
} from "./run-state.ts";

const topic = eventTopics.jobs.name;

export const statusOf: Readonly<Record<StepStatus | RunStatus, Status>> = {
  pending: Status.PENDING,
  running: Status.RUNNING,
  "backing-off": Status.BACKING_OFF,
  succeeded: Status.SUCCEEDED,
  failed: Status.FAILED,
  cancelled: Status.CANCELLED,
  skipped: Status.SKIPPED,
};

export function pipelineEvent(pipeline: string, digest: string): DomainEvent {
  const message: PipelineEvent = create(PipelineEventSchema, { pipeline, digest });
  const data = toJson(PipelineEventSchema, message) as JsonObject;
  return { topic, type: PipelineEventSchema.typeName, data };
}

/** What a change of a run says to others: each step and then the run, where its status moved; else the run as it is. */
export function runEvents(before: RunState | undefined, after: RunState): DomainEvent[] {
  if (before === after) return [];
  const moved = after.steps.filter((step, n) => {
    const old = before?.steps[n];
    // A step that went round through an attempt has the same status and another attempt.
    return old !== undefined && (old.status !== step.status || old.attempts !== step.attempts);
  });
  const events = moved.map((step) => {
    const old = before?.steps.find((other) => other.step === step.step);
    return runEvent(after, step.step, step.status, errorOf(step), newLoss(old, step));
  });
  if (before?.status === after.status && events.length > 0) return events;
  const failed =
    after.status === "failed" ? after.steps.find((s) => s.status === "failed") : undefined;
  return [
    ...events,
    runEvent(after, "", after.status, failed === undefined ? "" : errorOf(failed)),
  ];
}

function runEvent(
  run: RunState,
  step: string,
  status: StepStatus | RunStatus,
  error: string,
  lost?: MemberLoss,
): DomainEvent {
  const loss = lost && { loss: lossMessage(lost) };
  const facts = { pipelineRun: runId(run), step, status: statusOf[status], error, ...loss };
  const message = create(PipelineRunEventSchema, facts);
  const data = toJson(PipelineRunEventSchema, message) as JsonObject;
  return { topic, type: PipelineRunEventSchema.typeName, data };
}

const errorOf = (step: StepState): string =>
  step.status === "succeeded" || step.status === "running"
    ? ""
    : (step.attempts.at(-1)?.error ?? "");

/** The loss that a step's newest attempt tells of, and did not before. */
function newLoss(before: StepState | undefined, after: StepState): MemberLoss | undefined {
  const [old, now] = [before?.attempts.at(-1), after.attempts.at(-1)];
  const known = old?.number === now?.number ? (old?.losses?.length ?? 0) : 0;
  return (now?.losses?.length ?? 0) > known ? now?.losses?.at(-1) : undefined;
}

export const lossMessage = ({ role, lostMs, error, life }: MemberLoss) => ({
  ...{ role, error, life },
  lostTimeMs: BigInt(lostMs),
});
