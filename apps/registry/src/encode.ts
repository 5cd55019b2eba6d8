import type { MessageInitShape } from "@bufbuild/protobuf";
import { HeddleError, readLogRange, writeLogRange } from "@heddle/base";
import type { ObjectRef } from "@heddle/proto/common";
import {
  type LiveChangeSchema,
  type LostShard as LostShardMessage,
  type Recipe as RecipeMessage,
  type RunSchema,
  Stage,
  type TrainingSummary as TrainingMessage,
  type VersionSchema,
} from "@heddle/proto/registry";
import { type Family, type LiveChange, liveVersion, numberOf, wasLive } from "./models/family.ts";
import type { ObjectPlace, Recipe, Run, Snapshot } from "./models/run.ts";
import type {
  EarlyStop,
  LostShard,
  RowTurnover,
  TrainingSummary,
  TransferSummary,
  Version,
} from "./models/version.ts";

/** The place an object reference names. @throws {HeddleError} INVALID_ARGUMENT REFERENCE_MISSING. */
export function readPlace(reference: ObjectRef | undefined, what: string): ObjectPlace {
  if (reference !== undefined && /^[0-9a-f]{64}$/.test(reference.sha256)) {
    const { name, bytes, sha256 } = reference;
    return { name, bytes: Number(bytes), sha256 };
  }
  throw missing(`${what} with name, bytes and sha256`);
}

export function readRecipe(recipe: RecipeMessage | undefined): Recipe {
  if (recipe === undefined) throw missing("a recipe");
  const { configuration, dataset, parentVersion, environmentJson } = recipe;
  return { configuration, dataset, parentVersion, environmentJson: environmentJson || "{}" };
}

/** @throws {HeddleError} INVALID_ARGUMENT NOT_A_NUMBER for a figure that is not finite. */
export function readTraining(training: TrainingMessage | undefined): TrainingSummary {
  if (training === undefined) throw missing("the summary of the training");
  const summary = {
    examples: Number(training.examples),
    steps: Number(training.steps),
    meanLoss: training.meanLoss,
    wallSeconds: training.wallSeconds,
    cpuSeconds: training.cpuSeconds,
    stageShares: { ...training.stageShares },
    executor: training.executor,
    peakMemoryBytes: Number(training.peakMemoryBytes),
    attemptExamples: Number(training.attemptExamples),
    movedBytes: mapValues(training.movedBytes, Number),
    ...(training.stepExecutor === "" ? {} : { stepExecutor: training.stepExecutor }),
    ...(training.fallbackReason === "" ? {} : { fallbackReason: training.fallbackReason }),
    bottleneck: training.bottleneck,
    stageCpuSeconds: { ...training.stageCpuSeconds },
    queues: mapValues(training.queues, ({ mean, max }) => ({ mean, max })),
    loopDelayP99Ms: training.loopDelayP99Ms,
    ...overlapOf(training),
    ...earlyStopOf(training),
    ...transferOf(training),
    ...lostShardsOf(training),
    ...rowsOf(training),
    ...logOf(training),
  };
  for (const [name, value] of [
    ...Object.entries(summary),
    ...Object.entries(summary.stageShares),
    ...Object.entries(summary.stageCpuSeconds),
    ...Object.entries(summary.earlyStop ?? {}),
    ...(summary.lostShards ?? []).map(
      ({ seconds }) => ["a lost shard's seconds", seconds] as const,
    ),
    ...Object.entries(summary.queues).map(([name, { mean }]) => [name, mean] as const),
  ]) {
    if (typeof value !== "number" || Number.isFinite(value)) continue;
    const message = `${name} of the training summary is ${value}: expected a finite number`;
    throw new HeddleError("INVALID_ARGUMENT", "NOT_A_NUMBER", message);
  }
  return summary;
}

/** Only bounded mode has any. */
function overlapOf({ staleness, inFlightMax, staleRefused }: TrainingMessage) {
  if (staleness.length === 0) return {};
  const pushes = staleness.map(Number);
  return { overlap: { staleness: pushes, inFlightMax, staleRefused: Number(staleRefused) } };
}

/** Absent where all data was trained. */
function earlyStopOf({ earlyStop }: TrainingMessage): Pick<TrainingSummary, "earlyStop"> {
  if (earlyStop === undefined) return {};
  const { $typeName: _, bestStep, untrainedExamples, ...figures } = earlyStop;
  const counts = { bestStep: Number(bestStep), untrainedExamples: Number(untrainedExamples) };
  return { earlyStop: { ...figures, ...counts } };
}

/** Absent where nothing was taken over. */
function transferOf({ transfer }: TrainingMessage): Pick<TrainingSummary, "transfer"> {
  if (transfer === undefined) return {};
  const { from, tables, dense, frozen } = transfer;
  return { transfer: { from, tables: [...tables], dense: [...dense], frozen: [...frozen] } };
}

/** Absent where none was lost. */
function lostShardsOf({ lostShards }: TrainingMessage): Pick<TrainingSummary, "lostShards"> {
  if (lostShards.length === 0) return {};
  const read = ({ shard, seconds, lostTimeMs, snapshotStep, lostUpdates }: LostShardMessage) => ({
    ...{ shard, seconds, lostTimeMs: Number(lostTimeMs) },
    ...{ snapshotStep: Number(snapshotStep), lostUpdates: Number(lostUpdates) },
  });
  return { lostShards: lostShards.map(read) };
}

const writeLostShard = ({ lostTimeMs, snapshotStep, lostUpdates, ...lost }: LostShard) => ({
  ...lost,
  lostTimeMs: BigInt(lostTimeMs),
  snapshotStep: BigInt(snapshotStep),
  lostUpdates: BigInt(lostUpdates),
});

function rowsOf({ rows }: TrainingMessage): Pick<TrainingSummary, "rows"> {
  if (rows === undefined) return {};
  const { refused, expired, counted } = rows;
  return {
    rows: { refused: Number(refused), expired: Number(expired), counted: Number(counted) },
  };
}

/** Nothing where it learnt from files. */
function logOf({ log }: TrainingMessage): Pick<TrainingSummary, "log"> {
  return log.length === 0 ? {} : { log: log.map(readLogRange) };
}

export function writeSnapshot({ step, manifest }: Snapshot) {
  return { step: BigInt(step), manifest: writePlace(manifest) };
}

/** @param ended whether its version is registered by now, not only decided. */
export function writeRun(run: Run, ended: boolean): MessageInitShape<typeof RunSchema> {
  return {
    run: run.run,
    model: run.model,
    recipe: run.recipe,
    snapshots: run.snapshots.map(writeSnapshot),
    version: ended ? run.version : "",
    createdTimeMs: BigInt(run.createdTimeMs),
  };
}

export function writeVersion(
  version: Version,
  family: Family,
  recipe: Recipe,
): MessageInitShape<typeof VersionSchema> {
  const {
    overlap,
    earlyStop,
    transfer,
    lostShards = [],
    rows,
    log = [],
    ...training
  } = version.training;
  return {
    version: version.version,
    number: numberOf(family, version.version),
    model: version.model,
    run: version.run,
    manifest: writePlace(version.manifest),
    stage: stageOf(version, family),
    verdict: version.verdict,
    evaluation: version.evaluation,
    failedChecks: [...version.failedChecks],
    training: {
      ...training,
      examples: BigInt(training.examples),
      steps: BigInt(training.steps),
      peakMemoryBytes: BigInt(training.peakMemoryBytes),
      attemptExamples: BigInt(training.attemptExamples),
      movedBytes: mapValues(training.movedBytes ?? {}, BigInt),
      staleness: overlap?.staleness.map(BigInt) ?? [],
      inFlightMax: overlap?.inFlightMax ?? 0,
      staleRefused: BigInt(overlap?.staleRefused ?? 0),
      ...(earlyStop && { earlyStop: writeEarlyStop(earlyStop) }),
      ...(transfer && { transfer: writeTransfer(transfer) }),
      lostShards: lostShards.map(writeLostShard),
      ...(rows && { rows: writeRows(rows) }),
      log: log.map(writeLogRange),
    },
    createdTimeMs: BigInt(version.createdTimeMs),
    recipe,
    traceparent: version.traceparent ?? "",
  };
}

function writeEarlyStop({ bestStep, untrainedExamples, ...figures }: EarlyStop) {
  const counts = { bestStep: BigInt(bestStep), untrainedExamples: BigInt(untrainedExamples) };
  return { ...figures, ...counts };
}

function writeRows({ refused, expired, counted }: RowTurnover) {
  return { refused: BigInt(refused), expired: BigInt(expired), counted: BigInt(counted) };
}

function writeTransfer({ from, tables, dense, frozen }: TransferSummary) {
  return { from, tables: [...tables], dense: [...dense], frozen: [...frozen] };
}

const mapValues = <A, B>(record: Readonly<Record<string, A>>, to: (value: A) => B) =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, to(value)]));

function stageOf(version: Version, family: Family): Stage {
  if (liveVersion(family) === version.version) return Stage.LIVE;
  return version.archived || wasLive(family, version.version) ? Stage.ARCHIVED : Stage.CANDIDATE;
}

export function writeChange(change: LiveChange): MessageInitShape<typeof LiveChangeSchema> {
  const { timeMs, version, number, reason, actor } = change;
  return { timeMs: BigInt(timeMs), version, number, reason, actor };
}

function writePlace({ name, bytes, sha256 }: ObjectPlace) {
  return { name, bytes: BigInt(bytes), sha256 };
}

function missing(what: string): HeddleError {
  return new HeddleError("INVALID_ARGUMENT", "REFERENCE_MISSING", `the request lacks ${what}`);
}
