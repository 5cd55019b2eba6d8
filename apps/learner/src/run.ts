import { canonicalJson, contentName, present, shortName } from "@heddle/base";
import { failpoint } from "@heddle/failpoint";
import type { Run } from "@heddle/proto/registry";
import type { ModelDefinition } from "@heddle/sdk";
import { type Attempt, type End, trainToEnd } from "./attempt.ts";
import { grantedDataset } from "./dataset.ts";
import { callMs, type TrainDeps } from "./deps.ts";
import { exportModel } from "./export.ts";
import type { Progress } from "./loop.ts";
import { startStages, type Stages } from "./stages.ts";
import { findStart } from "./start.ts";

/** What the scheduler asks of a learner. */
export interface TrainRequest {
  /** The job, and the fencing token of its attempt. */
  readonly job: string;
  readonly fence: number;
  /** Content name of the model definition. */
  readonly configuration: string;
  readonly dataset: string;
  /** Version to warm-start from; empty to start from nothing. */
  readonly parentVersion: string;
  /** Shards in the gang; the bytes of the version do not depend on it. */
  readonly shards: number;
}

/** What the job hands on: the names of the version and of the run that made it. */
export type TrainOutputs = Readonly<Record<"version" | "run", string>>;

/**
 * One attempt of one training run, from wherever earlier attempts left it to a registered version. The recipe names the
 * run, so the same request ends with the same version however often it is tried.
 *
 * @throws {HeddleError} FAILED_PRECONDITION EMPTY_DATASET; INVALID_ARGUMENT NOT_FINITE; ABORTED FENCED; and what the services
 *   it calls answer.
 */
export async function runTraining(
  deps: TrainDeps,
  request: TrainRequest,
  signal: AbortSignal,
): Promise<TrainOutputs> {
  const { telemetry, registry } = deps;
  const stages = startStages(deps.clock, deps.threads);
  const { configuration, job, fence, shards } = request;
  const call = { timeoutMs: callMs, signal };
  const { definitionJson } = await registry.getConfiguration({ configuration }, call);
  const definition = JSON.parse(definitionJson) as ModelDefinition;
  const run = await openRun(deps, request, definition, signal);
  if (run.version !== "") {
    telemetry.log.info({ run: run.run, version: run.version }, "the run has its version already");
    return { version: run.version, run: run.run };
  }

  const data = await grantedDataset(deps, definition, request, signal);
  const start = await findStart(deps, run, definition, data, signal);
  const attempt: Attempt = {
    job,
    fence,
    run: run.run,
    configuration,
    definition,
    data,
    shards,
    stages,
  };
  const end = await trainToEnd(deps, attempt, start, signal);
  const manifest = await stages.wait("snapshot", exportModel(deps, attempt, start, end, signal));

  failpoint("learner.version.before-register");
  const { version } = await registry.registerVersion(
    {
      requestId: `${run.run}/version`,
      run: run.run,
      manifest: { ...manifest, bytes: BigInt(manifest.bytes) },
      training: summaryOf(deps, stages, start.progress, end),
    },
    call,
  );
  failpoint("learner.version.after-register");
  const { steps, examples } = { steps: end.progress.step, examples: end.progress.examples };
  telemetry.log.info(
    { run: run.run, version: shortName(version), steps, examples },
    "version made",
  );
  return { version, run: run.run };
}

/** The run of the recipe: opened now, or found with its snapshots when it was tried before. */
async function openRun(
  { registry, compute, environment }: TrainDeps,
  { configuration, dataset, parentVersion }: TrainRequest,
  { training }: ModelDefinition,
  signal: AbortSignal,
): Promise<Run> {
  const environmentJson = canonicalJson({
    ...environment,
    executor: compute.environment,
    seed: training.seed,
  });
  const recipe = { configuration, dataset, parentVersion, environmentJson };
  const requestId = `run/${configuration}/${dataset}/${parentVersion}/${environmentJson}`;
  const request = { requestId: contentName(requestId), recipe };
  const { state } = await registry.createRun(request, { timeoutMs: callMs, signal });
  return present(state, "the run that was opened");
}

function summaryOf(deps: TrainDeps, stages: Stages, start: Progress, end: End) {
  const { cpuSeconds, peakMemoryBytes } = deps.usage();
  const { examples, step, lossSum } = end.progress;
  const movedBytes = Object.entries<number>({ ...end.moved }).map(
    ([what, bytes]) => [what, BigInt(bytes)] as const,
  );
  return {
    examples: BigInt(examples),
    steps: BigInt(step),
    meanLoss: lossSum / examples,
    wallSeconds: stages.seconds(),
    cpuSeconds: cpuSeconds + end.shardCpuSeconds,
    stageShares: stages.shares(),
    executor: deps.compute.environment,
    peakMemoryBytes: BigInt(peakMemoryBytes),
    attemptExamples: BigInt(examples - start.examples),
    movedBytes: Object.fromEntries(movedBytes),
  };
}
