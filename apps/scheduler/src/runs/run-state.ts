import type { PipelineDefinition, Step } from "@heddle/sdk";

export type StepStatus =
  "pending" | "running" | "backing-off" | "succeeded" | "failed" | "cancelled" | "skipped";
export type RunStatus = "pending" | "running" | "succeeded" | "failed" | "cancelled";
export type Outputs = Readonly<Record<string, string>>;

/** One run of a pipeline for a window, as it is kept. Times are wall milliseconds since the epoch. */
export interface RunState {
  readonly pipeline: string;
  readonly model: string;
  readonly window: string;
  /** Empty for the regular run. */
  readonly variant: string;
  /** Source → branch that its training datasets read instead of main. */
  readonly branches: Readonly<Record<string, string>>;
  /** As it was when the run was submitted: a changed pipeline applies to later runs. */
  readonly definition: PipelineDefinition;
  /** The model's configuration when the run was submitted, by content name. */
  readonly configuration: string;
  /**
   * The version that was live when the run's turn came, empty when none was. Datasets and training
   * go by this one, so that all attempts of all steps agree on what is known already.
   */
  readonly parent?: string;
  readonly status: RunStatus;
  /** In the order of the definition. */
  readonly steps: readonly StepState[];
  /** Fencing token of the newest attempt: each attempt has a higher one than all before it. */
  readonly fence: number;
  readonly createdMs: number;
  readonly endedMs?: number;
  /** W3C trace context of the request that submitted it: the parent of all its spans. */
  readonly traceparent?: string;
}

export interface StepState {
  readonly step: string;
  readonly kind: Step["kind"];
  readonly status: StepStatus;
  /** Oldest first, at most `attemptsKeptMax`. */
  readonly attempts: readonly AttemptState[];
  /** Attempts that its retries do not count: those lost with a scheduler, and those before a resume. */
  readonly uncounted: number;
  readonly outputs: Outputs;
  /** While it backs off: when its next attempt may start. */
  readonly retryAtMs?: number;
}

export interface AttemptState {
  /** 1, 2, … */
  readonly number: number;
  readonly fence: number;
  readonly startedMs: number;
  readonly endedMs?: number;
  readonly error?: string;
  readonly reason?: string;
  /** Members of its gang that were lost and replaced alone. */
  readonly losses?: readonly MemberLoss[];
}

/** A member of a gang whose place another job took. */
export interface MemberLoss {
  readonly role: string;
  /** In the other job's id: no two of an attempt have the same. */
  readonly life: number;
  readonly lostMs: number;
  readonly error: string;
}

/** Why an attempt did not succeed. */
export interface Failure {
  readonly reason: string;
  readonly error: string;
  readonly retryable: boolean;
}

export const attemptsKeptMax = 32;

/** `pipeline/window` or `pipeline/window/variant`. */
export function runId(run: Pick<RunState, "pipeline" | "window" | "variant">): string {
  return [run.pipeline, run.window, ...(run.variant === "" ? [] : [run.variant])].join("/");
}

export const runEnded = (run: RunState): boolean =>
  run.status === "succeeded" || run.status === "failed" || run.status === "cancelled";
