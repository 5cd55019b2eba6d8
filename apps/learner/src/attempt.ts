import { HeddleError, present } from "@heddle/base";
import type { ObjectInfo } from "@heddle/objects";
import type { ModelDefinition, Training } from "@heddle/sdk";
import { trainBounded } from "./loop/bounded-loop.ts";
import type { Layer } from "./cuts/chain.ts";
import { type CutDeps, openCuts } from "./cuts/cuts.ts";
import { type ShardLoss, watchShards } from "./lost-shards.ts";
import type { TrainingData } from "./data/dataset.ts";
import { callMs, type TrainDeps } from "./deps.ts";
import { hasStopped } from "./loop/early-stopping.ts";
import { type LoopOptions, train } from "./loop/loop.ts";
import { shareOf } from "./loop/micro-batches.ts";
import { countCalls, countSteps } from "./meters/queues.ts";
import type { Stages } from "./meters/stages.ts";
import type { Start } from "./cuts/start.ts";
import { type Moved, nothingMoved } from "./wire/traffic.ts";
import type { Bounds, Overlap, RowTurnover, Wire } from "./wire/wire.ts";
import type { Progress } from "./loop/progress.ts";

/** What is fixed during an attempt. */
export interface Attempt {
  readonly job: string;
  readonly fence: number;
  readonly run: string;
  /** Content name of the definition. */
  readonly configuration: string;
  readonly definition: ModelDefinition;
  readonly data: TrainingData;
  /** Shards of the gang; 0 where the learner has its own. */
  readonly shards: number;
  /** Learners of the gang, and which of them this is; 0 leads. */
  readonly learners: number;
  readonly learner: number;
  readonly stages: Stages;
}

/** The end of a run's training. */
export interface End {
  readonly progress: Progress;
  /** The last snapshot's manifest, and the one file of all parameters. */
  readonly snapshot: ObjectInfo;
  readonly parameters: ObjectInfo;
  /** CPU seconds of this attempt's shards. */
  readonly shardCpuSeconds: number;
  /** Bytes that this attempt moved. */
  readonly moved: Moved;
  /** Bounded mode: what overlapped in this attempt. */
  readonly overlap?: Overlap;
  /** Bounded mode: shards that were lost and replaced alone, in this order. */
  readonly losses: readonly ShardLoss[];
  /** What became of rows in this attempt; absent where nothing was left to train. */
  readonly rows?: RowTurnover;
}

/** Trains what is left of the run, on shards returned to where it stands; nothing when only the export is left. For the leader. */
export async function trainToEnd(
  deps: TrainDeps,
  attempt: Attempt,
  start: Start,
  signal: AbortSignal,
): Promise<End> {
  const { stages } = attempt;
  if (isAtEnd(start, attempt)) {
    const { progress, snapshot, layers } = start;
    const parameters = onlyFile(layers);
    const moved = nothingMoved;
    const place = present(snapshot, "the snapshot of a run's end");
    return { progress, snapshot: place, parameters, shardCpuSeconds: 0, moved, losses: [] };
  }
  await using gang = await joinGang(deps, attempt, start, signal);
  const { wire } = gang;
  await wire.restore(start.progress.step, start.layers, start.progress.lossSum);
  await using cuts = openCuts(cutDeps(deps, attempt, wire, signal), start);
  await using watch = watchShards(deps, wire, cuts.during, signal);
  stages.started();
  const onStep = measure(deps, attempt, start.progress);
  const progress = await gang.train({ onStep, onCut: cuts.cut }, signal);
  const { manifest, parameters } = await stages.wait("snapshot", cuts.end(progress));
  const { cpuSeconds, overlap, rows } = await wire.usage();
  return {
    ...{ progress, snapshot: manifest, parameters },
    ...{ shardCpuSeconds: cpuSeconds, moved: wire.moved() },
    ...(overlap && { overlap }),
    ...(rows && { rows }),
    losses: watch.losses,
  };
}

/** Whether nothing is left to train, because the data ended or the run stopped early, and only the export is left. */
export function isAtEnd(
  { snapshot, progress }: Start,
  { data, definition: { training } }: Pick<Attempt, "data" | "definition">,
): boolean {
  if (snapshot === undefined) return false;
  return (
    progress.cursor.partition === data.partitions.length ||
    hasStopped(training.earlyStopping, progress)
  );
}

/** A learner ready to train beside its shards. */
export interface GangMember extends AsyncDisposable {
  readonly wire: Wire;
  /** This learner's share of the steps from the start to the run's end, in the mode of the definition. */
  train(
    told: Pick<LoopOptions, "onStep" | "onCut" | "cpuSeconds">,
    signal: AbortSignal,
  ): Promise<Progress>;
}

/** @throws {HeddleError} FAILED_PRECONDITION GANG_INCOMPLETE, TOO_MANY_LEARNERS. */
export async function joinGang(
  deps: TrainDeps,
  attempt: Attempt,
  { progress, subject }: Start,
  signal: AbortSignal,
): Promise<GangMember> {
  const { data, stages, definition, run, fence, learner, learners } = attempt;
  const { lag, microBatches = 1, batchSize, seed } = definition.training;
  const { earlyStopping } = definition.training;
  checkLearners(definition, learners);
  const bounds = boundsOf(definition.training);
  const { snapshotSteps } = bounds ?? definition.training;
  await using opening = new AsyncDisposableStack();
  const plan = { inputs: definition.inputs, fit: subject.fit, batchSize, seed };
  const batches = data.examples.batches(plan, progress.cursor, stages);
  const network = opening.use(await deps.compute.open(definition));
  const addresses = await shardAddresses(deps, attempt.shards, signal);
  const { tables, dense } = network;
  const who = { run, fence, learner, learners };
  const what = { lag, microBatches, tables, dense, ...(bounds && { bounds }) };
  const opened = opening.use(await deps.openWire({ ...who, ...what }, addresses));
  const { queues } = deps.meters;
  const wire = countCalls(opened, queues);
  const options = {
    learner: attempt.job,
    ...{ batches, wire, network: countSteps(network, queues), stages, snapshotSteps },
    ...(earlyStopping && { earlyStopping }),
    ...(data.log && { log: data.log }),
    aroundStep: <T>(step: number, act: () => Promise<T>) =>
      step % deps.traceEverySteps === 0
        ? deps.telemetry.span("step", { attributes: { "heddle.step": step } }, act)
        : act(),
  };
  const own = shareOf(microBatches, learner, learners);
  const open = opening.move();
  return {
    wire,
    train: (told, stop) =>
      bounds === undefined
        ? train({ ...options, ...told, lag, microBatches, own }, progress, stop)
        : trainBounded({ ...options, ...told, bounds, number: learner, learners }, progress, stop),
    [Symbol.asyncDispose]: () => open[Symbol.asyncDispose](),
  };
}

/** Undefined in exact mode. */
function boundsOf({ mode, snapshotSteps }: Training): Bounds | undefined {
  if (mode?.kind !== "bounded") return undefined;
  const { staleness, inFlight, pushesPerSecond = 0, rowAge = 0 } = mode;
  // Two intervals lie behind the newest snapshot while the next one is written: together they are what may be lost.
  const cutSteps = Math.max(1, Math.floor(snapshotSteps / 2));
  const given = { staleness, inFlight, pushesPerSecond, snapshotSteps: cutSteps };
  return { ...given, ...(rowAge > 0 && { rowAge }) };
}

/** @throws {HeddleError} FAILED_PRECONDITION TOO_MANY_LEARNERS when some would have nothing to do. */
function checkLearners({ name, training }: ModelDefinition, learners: number): void {
  const { mode, microBatches = 1 } = training;
  const [most, what] =
    mode?.kind === "bounded"
      ? [mode.inFlight, "updates in flight (training.mode.inFlight)"]
      : [microBatches, "micro-batches of a step (training.microBatches)"];
  if (learners <= most) return;
  throw new HeddleError(
    "FAILED_PRECONDITION",
    "TOO_MANY_LEARNERS",
    `${learners} learners cannot share the ${most} ${what} of model ${name}: give its pipeline's train step at most ${most} learners, or raise that number`,
    { metadata: { learners: String(learners), learnersMax: String(most) } },
  );
}

async function shardAddresses(
  { scheduler }: TrainDeps,
  shards: number,
  signal: AbortSignal,
): Promise<string[]> {
  if (shards === 0) return [];
  const gang = await scheduler.awaitGang(signal);
  return Array.from({ length: shards }, (_, n) => {
    const address = gang[`shard-${n}`];
    if (address !== undefined) return address;
    throw new HeddleError(
      "FAILED_PRECONDITION",
      "GANG_INCOMPLETE",
      `the gang has no shard-${n} of ${shards}; it has ${Object.keys(gang).join(", ")}: start one job for each shard`,
    );
  });
}

function cutDeps(
  { objects, registry, telemetry }: TrainDeps,
  { run, fence, definition }: Attempt,
  wire: Wire,
  signal: AbortSignal,
): CutDeps {
  const bounds = boundsOf(definition.training);
  const bound = bounds && {
    cutSteps: bounds.snapshotSteps,
    lostMax: definition.training.snapshotSteps,
    onGivenUp: (step: number) =>
      telemetry.log.warn({ run, step }, "snapshot given up, a shard was lost"),
  };
  return {
    ...{ objects, wire, ...(bound && { folder: `attempt-${fence}`, bound }) },
    record: async (step, { name, bytes, sha256 }) => {
      const manifest = { name, bytes: BigInt(bytes), sha256 };
      const request = {
        requestId: `${run}/snapshot/${step}`,
        run,
        snapshot: { step: BigInt(step), manifest },
      };
      await registry.recordSnapshot(request, { timeoutMs: callMs, signal });
    },
  };
}

/** Tells people and meters how far the run is. */
function measure(
  { telemetry, scheduler }: TrainDeps,
  { definition: { name: model }, data }: Attempt,
  start: Progress,
): (progress: Progress, loss: number) => void {
  const examples = telemetry.counter("heddle.learner.examples", "{example}", "examples trained");
  const losses = telemetry.histogram(
    "heddle.learner.loss",
    "1",
    "mean log loss of a step's examples",
  );
  let counted = start.examples;
  return (progress, loss) => {
    examples.add(progress.examples - counted, { model });
    counted = progress.examples;
    losses.record(loss, { model });
    scheduler.progress(progress.examples, data.rows, "examples", `loss ${loss.toFixed(4)}`);
  };
}

function onlyFile(layers: readonly Layer[]): ObjectInfo {
  const files = layers.flatMap((layer) => layer.files);
  return present(files.length === 1 ? files[0] : undefined, "the one file of a run's end");
}
