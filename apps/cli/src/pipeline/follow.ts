import { HeddleError } from "@heddle/base";
import { type PipelineRun, Status, type StepRun } from "@heddle/proto/scheduler";
import type { Clients } from "../host/clients.ts";
import { count, counted } from "../output/numbers.ts";
import type { Progress } from "../output/progress.ts";

export interface Submission {
  readonly pipeline: string;
  readonly window: string;
  readonly variant?: string;
  /** Source → branch read instead of main. */
  readonly branches?: Readonly<Record<string, string>>;
}

const submitMs = 30_000;
const followMs = 24 * 3_600_000;

/** Submits a pipeline run (the same one again if it exists), and follows it to its end. */
export async function runPipeline(
  clients: Clients,
  submission: Submission,
  progress: Progress,
): Promise<PipelineRun> {
  const { pipeline, window, variant = "", branches = {} } = submission;
  const id = [pipeline, window, variant].filter((part) => part !== "").join("/");
  // With other branches it is another request, which the scheduler refuses by its reason.
  const read = Object.entries(branches).map((pair) => pair.join("="));
  const requestId = ["submit", id, ...read.sort()].join("/");
  const { pipelineRun, definitionsChanged } = await clients.scheduler.submitRun(
    { requestId, pipeline, window, variant, branches: { ...branches } },
    { timeoutMs: submitMs },
  );
  if (definitionsChanged) {
    progress.note(
      `${pipelineRun} keeps the definitions it was submitted with, and they have changed since; to train by the newest: heddle train ${pipeline} --window ${window} --variant NAME`,
    );
  }
  const { run } = await clients.scheduler.getPipelineRun({ pipelineRun }, { timeoutMs: submitMs });
  if (run?.status === Status.FAILED || run?.status === Status.CANCELLED) {
    await clients.scheduler.resumeRun(
      { requestId: `resume/${id}/${run.revision}`, pipelineRun },
      { timeoutMs: submitMs },
    );
  }
  return followRun(clients, pipelineRun, progress);
}

/** Says how far the run is at each change; the run when it has ended. */
async function followRun(
  clients: Clients,
  pipelineRun: string,
  progress: Progress,
): Promise<PipelineRun> {
  const watch = clients.scheduler.watchPipelineRun({ pipelineRun }, { timeoutMs: followMs });
  for await (const { run } of watch) {
    if (run === undefined) continue;
    const now = run.steps.filter(isRunning).map(words).join(" · ");
    progress.say(`${run.pipelineRun}  ${run.waitsFor === "" ? now : `waits: ${run.waitsFor}`}`);
    if (hasEnded(run)) return run;
  }
  throw new HeddleError(
    "UNAVAILABLE",
    "WATCH_ENDED",
    `the scheduler stopped telling about ${pipelineRun}; run the command again to go on`,
  );
}

/** Throws what made a run fail, named by its step. */
export function failureOf(run: PipelineRun): HeddleError | undefined {
  if (run.status === Status.SUCCEEDED) return undefined;
  const step = run.steps.find(({ status }) => status === Status.FAILED);
  const attempt = step?.attempts.at(-1);
  const place =
    step === undefined
      ? ""
      : ` at step ${step.step} after ${counted(step.attempts.length, "attempt")}`;
  return new HeddleError(
    "FAILED_PRECONDITION",
    attempt?.reason ?? "RUN_ENDED",
    `${run.pipelineRun} ${Status[run.status].toLowerCase()}${place}: ${attempt?.error ?? "stopped"}`,
  );
}

const isRunning = ({ status }: StepRun): boolean =>
  status === Status.RUNNING || status === Status.BACKING_OFF;

const hasEnded = ({ status }: PipelineRun): boolean =>
  status === Status.SUCCEEDED || status === Status.FAILED || status === Status.CANCELLED;

function words(step: StepRun): string {
  const { progress, attempts } = step;
  const again = attempts.length > 1 ? ` (attempt ${attempts.length})` : "";
  if (progress === undefined || progress.unit === "") return `${step.step}${again}`;
  const of = progress.total > 0n ? `/${count(progress.total)}` : "";
  const message = progress.message === "" ? "" : `, ${progress.message}`;
  return `${step.step}${again} ${count(progress.done)}${of} ${progress.unit}${message}`;
}
