import { HeddleError } from "@heddle/base";
import type { GetStreamResponse } from "@heddle/proto/feature-store";
import type { Version } from "@heddle/proto/registry";
import { Status } from "@heddle/proto/scheduler";
import type { ModelDefinition, PipelineDefinition } from "@heddle/sdk";
import type { Clients } from "../host/clients.ts";
import type { Progress } from "../output/progress.ts";
import { failureOf, runPipeline } from "../pipeline/follow.ts";
import { type Outcome, outcomeOf } from "../pipeline/outcome.ts";

const timeoutMs = 30_000;

/** What a pipeline learns from the log. */
export interface Course {
  readonly pipeline: string;
  readonly source: string;
  /** Windows that a version learns, and those behind them that it is judged on. */
  readonly windows: number;
  readonly holdout: number;
}

/** How far the newest version is behind the log. */
export interface Lag {
  /** Records of the log that are not in it. */
  readonly events: number;
  /** Since the newest event in it; 0 where it has all. */
  readonly seconds: number;
}

/** @throws {HeddleError} NOT_FOUND UNKNOWN_PIPELINE; FAILED_PRECONDITION NOT_ONLINE. */
export async function courseOf(clients: Clients, pipeline: string): Promise<Course> {
  const call = { timeoutMs };
  const known = await clients.scheduler.getPipeline({ pipeline }, call);
  const { steps, model } = JSON.parse(known.definitionJson) as PipelineDefinition;
  const ranges = Object.values(steps).flatMap((step) =>
    step.kind === "build-dataset" ? [step.partitions] : [],
  );
  const learnt = ranges.find((range) => range.kind === "log");
  if (learnt === undefined) {
    throw new HeddleError(
      "FAILED_PRECONDITION",
      "NOT_ONLINE",
      `pipeline ${pipeline} learns from no event log: run it by \`heddle train ${pipeline}\`, or make its steps with onlineLearning`,
    );
  }
  const { definitionJson } = await clients.registry.getConfiguration({ model }, call);
  const { examples } = JSON.parse(definitionJson) as ModelDefinition;
  const source = examples.kind === "rows" ? examples.source : examples.visits.source;
  const ends = ranges.map((range) =>
    range.kind === "log-next" ? range.after + range.windows : learnt.windows,
  );
  const holdout = Math.max(...ends) - learnt.windows;
  return { pipeline, source, windows: learnt.windows, holdout };
}

/** The window of the next run: that of the last one while it has not succeeded, else the one behind it. */
export async function nextWindow(
  { scheduler }: Clients,
  { pipeline, windows }: Course,
  first: number,
): Promise<number> {
  const { runs } = await scheduler.listPipelineRuns({ pipeline, pageSize: 1_000 }, { timeoutMs });
  const regular = runs.filter(({ variant }) => variant === "");
  const last = regular.toSorted((a, b) => Number(b.window) - Number(a.window))[0];
  if (last === undefined) return first;
  return Number(last.window) + (last.status === Status.SUCCEEDED ? windows : 0);
}

/** One version: waits for its windows, then runs the pipeline for them. */
export async function learnNext(
  clients: Clients,
  course: Course,
  window: number,
  progress: Progress,
  pause: () => Promise<void>,
): Promise<Outcome> {
  const { source, pipeline, windows, holdout } = course;
  const needed = window + windows + holdout;
  for (;;) {
    const stream = await clients.featureStore.getStream({ source }, { timeoutMs });
    if (stream.problem !== "") throw stopped(source, stream);
    if (stream.windows >= needed) break;
    progress.say(`${pipeline}/${window} waits for windows: ${stream.windows} of ${needed} are cut`);
    await pause();
  }
  const run = await runPipeline(clients, { pipeline, window: String(window) }, progress);
  const failure = failureOf(run);
  if (failure !== undefined) throw failure;
  return outcomeOf(clients, run);
}

/** @param version the newest that has learnt from the source's log. */
export async function lagOf(
  { featureStore }: Clients,
  { source }: Course,
  version: Version,
  nowMs: number,
): Promise<Lag> {
  const { partitions } = await featureStore.getStream({ source }, { timeoutMs });
  const learnt = new Map(version.training?.log.map((range) => [range.partition, range.toOffset]));
  const events = partitions.reduce(
    (sum, { partition, endOffset }) => sum + Number(endOffset - (learnt.get(partition) ?? 0n)),
    0,
  );
  if (events === 0) return { events, seconds: 0 };
  const dataset = version.recipe?.dataset ?? "";
  const { manifest } = await featureStore.getDataset({ dataset }, { timeoutMs });
  const newestMs = Number(manifest?.exampleTimeMaxMs ?? 0n);
  return { events, seconds: Math.max(0, (nowMs - newestMs) / 1_000) };
}

function stopped(source: string, { problem }: GetStreamResponse): HeddleError {
  return new HeddleError(
    "FAILED_PRECONDITION",
    "STREAM_STOPPED",
    `no windows of source ${source} are cut: ${problem}`,
  );
}
