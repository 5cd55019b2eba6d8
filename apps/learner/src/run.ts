import { canonicalJson, contentName, present, shortName, writeLogRange } from "@heddle/base";
import { failpoint } from "@heddle/failpoint";
import type { Run } from "@heddle/proto/registry";
import type { ModelDefinition } from "@heddle/sdk";
import type { Attempt } from "./attempt.ts";
import { type End, trainToEnd } from "./gang/lead.ts";
import { grantedDataset } from "./data/dataset.ts";
import { callMs, type TrainDeps } from "./deps.ts";
import { exportModel } from "./export.ts";
import { gaugeMeters } from "./meters/meters.ts";
import { queueNames } from "./meters/queues.ts";
import { bottleneckOf, startStages } from "./meters/stages.ts";
import { findStart, type Start } from "./cuts/start.ts";
import type { Progress } from "./loop/progress.ts";

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
  /** Learners in the gang, and which of them this is: 0 leads; nor do they depend on these. */
  readonly learners: number;
  readonly learner: number;
}

/** What the job hands on: the names of the version and of the run that made it. */
export type TrainOutputs = Readonly<Record<"version" | "run", string>>;

/**
 * One attempt of one training run, from wherever earlier attempts left it to a registered version. The recipe names the
 * run, so the same request ends with the same version however often it is tried. A death after the version was written and before it was
 * registered leaves a run at its end: the next attempt trains nothing, makes the same files, which are there by their names, and registers
 * them under the same request id. For the learner that leads.
 *
 * @throws {HeddleError} FAILED_PRECONDITION EMPTY_DATASET, TOO_MANY_LEARNERS; INVALID_ARGUMENT NOT_FINITE; ABORTED FENCED; and
 *   what the services it calls answer.
 */
export async function runTraining(
  deps: TrainDeps,
  request: TrainRequest,
  signal: AbortSignal,
): Promise<TrainOutputs> {
  const { telemetry, registry } = deps;
  const opened = await openAttempt(deps, request, signal);
  if (opened.kind === "done") {
    const { version, run } = opened;
    telemetry.log.info({ run, version }, "the run has its version already");
    return { version, run };
  }
  const { attempt, start } = opened;
  const { run, stages } = attempt;
  const end = await trainToEnd(deps, attempt, start, signal);
  const manifest = await stages.wait("snapshot", exportModel(deps, attempt, start, end, signal));

  failpoint("learner.version.before-register");
  const { version } = await registry.registerVersion(
    {
      requestId: `${run}/version`,
      run,
      manifest: { ...manifest, bytes: BigInt(manifest.bytes) },
      training: await summaryOf(deps, attempt, start, end),
    },
    { timeoutMs: callMs, signal },
  );
  failpoint("learner.version.after-register");
  const { steps, examples } = { steps: end.progress.step, examples: end.progress.examples };
  telemetry.log.info({ run, version: shortName(version), steps, examples }, "version made");
  return { version, run };
}

/** A run's state as an attempt finds it: done, or to be trained from some place on. */
export type Opened =
  | { readonly kind: "done"; readonly run: string; readonly version: string }
  | { readonly kind: "open"; readonly attempt: Attempt; readonly start: Start };

/** Opens the run of a request, its dataset and the place where it stands. */
export async function openAttempt(
  deps: TrainDeps,
  request: TrainRequest,
  signal: AbortSignal,
): Promise<Opened> {
  const stages = startStages(deps.clock, deps.meters.times);
  gaugeMeters(deps.telemetry, deps.meters, stages);
  const { configuration, job, fence, shards, learners, learner } = request;
  const call = { timeoutMs: callMs, signal };
  const { definitionJson } = await deps.registry.getConfiguration({ configuration }, call);
  const definition = JSON.parse(definitionJson) as ModelDefinition;
  const found = await openRun(deps, request, definition, signal);
  const { run, version } = found;
  if (version !== "") return { kind: "done", run, version };

  const data = await grantedDataset(deps, definition, request, signal);
  const start = await findStart(deps, found, definition, data, learner === 0, signal);
  const gang = { job, fence, shards, learners, learner };
  return {
    kind: "open",
    attempt: { ...gang, run, configuration, definition, data, stages },
    start,
  };
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

async function summaryOf(deps: TrainDeps, attempt: Attempt, start: Start, end: End) {
  const { parentVersion } = start.subject;
  const { stages } = attempt;
  const { cpuSeconds, peakMemoryBytes } = deps.usage();
  const { examples, step, lossSum } = end.progress;
  const movedBytes = Object.entries<number>({ ...end.moved }).map(
    ([what, bytes]) => [what, BigInt(bytes)] as const,
  );
  const { queues, cpuSeconds: cpuOfStages, loopDelayP99Ms } = deps.meters;
  const stageShares = stages.shares();
  return {
    examples: BigInt(examples),
    steps: BigInt(step),
    meanLoss: lossSum / examples,
    wallSeconds: stages.seconds(),
    cpuSeconds: cpuSeconds + end.shardCpuSeconds,
    stageShares,
    bottleneck: bottleneckOf(stageShares),
    stageCpuSeconds: cpuOfStages(),
    queues: Object.fromEntries(queueNames.map((name) => [name, queues[name].depth()])),
    loopDelayP99Ms: loopDelayP99Ms(),
    executor: deps.compute.environment,
    ...(await deps.compute.runs()),
    peakMemoryBytes: BigInt(peakMemoryBytes),
    attemptExamples: BigInt(examples - start.progress.examples),
    ...overlapOf(end),
    lostShards: end.losses.map((lost) => ({
      ...{
        shard: lost.shard,
        seconds: lost.seconds,
        lostTimeMs: BigInt(Math.round(lost.lostTimeMs)),
      },
      ...{ snapshotStep: BigInt(lost.snapshotStep), lostUpdates: BigInt(lost.lostUpdates) },
    })),
    ...earlyStopOf(attempt, end.progress),
    ...transferOf(attempt.definition, parentVersion),
    ...rowsOf(attempt.definition, end),
    log: (attempt.data.log?.ranges ?? []).map(writeLogRange),
    movedBytes: Object.fromEntries(movedBytes),
  };
}

function overlapOf({ overlap }: End) {
  if (overlap === undefined) return {};
  const { pushes, inFlightMax, refused } = overlap;
  return { staleness: pushes.map(BigInt), inFlightMax, staleRefused: BigInt(refused) };
}

/** Nothing where all data was trained. */
function earlyStopOf({ definition, data }: Attempt, { judged, cursor, examples }: Progress) {
  const { earlyStopping } = definition.training;
  const place = data.partitions[cursor.partition];
  if (earlyStopping === undefined || judged === undefined || place === undefined) return {};
  const { loss, best, cutsSince } = judged;
  const earlyStop = {
    ...{ loss, bestLoss: best.loss, bestStep: BigInt(best.step), cutsSinceBest: cutsSince },
    minDelta: earlyStopping.minDelta ?? 0,
    untrainedExamples: BigInt(data.rows - examples),
    partition: place.partition,
  };
  return { earlyStop };
}

/** Nothing where each id has a row, for ever. */
function rowsOf({ training: { rows } }: ModelDefinition, { rows: turnover }: End) {
  if (turnover === undefined) return {};
  if (rows?.admission === undefined && rows?.expiry === undefined) return {};
  const { refused, expired, counted } = turnover;
  return {
    rows: { refused: BigInt(refused), expired: BigInt(expired), counted: BigInt(counted) },
  };
}

/** A run that continues a parent took nothing over itself; what is frozen stays so. */
function transferOf({ training: { transfer } }: ModelDefinition, parentVersion: string) {
  if (transfer === undefined) return {};
  const { from, tables = [], dense = [], frozen = [] } = transfer;
  const taken = parentVersion === "" ? { tables: [...tables], dense: [...dense] } : {};
  return { transfer: { from, ...taken, frozen: [...frozen] } };
}
