import { HeddleError, present } from "@heddle/base";
import type { ObjectInfo } from "@heddle/objects";
import type { ModelDefinition } from "@heddle/sdk";
import type { TrainingData } from "./dataset.ts";
import { callMs, type TrainDeps } from "./deps.ts";
import { type LoopOptions, type Progress, train } from "./loop.ts";
import { shareOf } from "./micro-batches.ts";
import { countCalls, countSteps } from "./queues.ts";
import { type SnapshotDeps, writeFinalSnapshot, writeSnapshot } from "./snapshot.ts";
import type { Stages } from "./stages.ts";
import type { Start } from "./start.ts";
import { countTraffic, type Moved } from "./traffic.ts";
import type { Wire } from "./wire.ts";

/** What is fixed during an attempt. */
export interface Attempt {
  readonly job: string;
  readonly fence: number;
  readonly run: string;
  /** Content name of the definition. */
  readonly configuration: string;
  readonly definition: ModelDefinition;
  readonly data: TrainingData;
  /** Shards of the gang. */
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
}

/** Trains what is left of the run, on shards returned to where it stands; nothing when only the export is left. For the leader. */
export async function trainToEnd(
  deps: TrainDeps,
  attempt: Attempt,
  start: Start,
  signal: AbortSignal,
): Promise<End> {
  const { data, stages } = attempt;
  if (isAtEnd(start, data)) {
    const { progress, snapshot, files } = start;
    const parameters = onlyFile(files);
    const moved = { pulled: 0, pushed: 0, saved: 0 };
    const place = present(snapshot, "the snapshot of a run's end");
    return { progress, snapshot: place, parameters, shardCpuSeconds: 0, moved };
  }
  await using gang = await joinGang(deps, attempt, start, signal);
  const { wire, moved } = gang;
  await wire.restore(start.progress.step, start.files, start.progress.lossSum);
  const snapshots = snapshotDeps(deps, attempt, wire, signal);
  stages.started();
  const progress = await train(
    {
      ...gang.options,
      onStep: measure(deps, attempt, start.progress),
      onCut: (at) => writeSnapshot(snapshots, start.subject, at),
    },
    start.progress,
    signal,
  );
  const last = await stages.wait(
    "snapshot",
    writeFinalSnapshot(snapshots, start.subject, progress),
  );
  const { cpuSeconds } = await wire.usage();
  const parameters = onlyFile(last.manifest.files);
  return {
    ...{ progress, snapshot: last.info, parameters },
    ...{ shardCpuSeconds: cpuSeconds, moved: moved() },
  };
}

/** Whether all data is trained, and only the export is left. */
export function isAtEnd({ snapshot, progress }: Start, { partitions }: TrainingData): boolean {
  return snapshot !== undefined && progress.cursor.partition === partitions.length;
}

/** A learner ready to train beside its shards. */
export interface GangMember extends AsyncDisposable {
  readonly wire: Wire;
  moved(): Moved;
  /** What is the same for all learners of the gang. */
  readonly options: Omit<LoopOptions, "onStep" | "onCut">;
}

/** @throws {HeddleError} FAILED_PRECONDITION GANG_INCOMPLETE, TOO_MANY_LEARNERS. */
export async function joinGang(
  deps: TrainDeps,
  attempt: Attempt,
  { progress, subject }: Start,
  signal: AbortSignal,
): Promise<GangMember> {
  const { data, stages, definition, run, fence, learner, learners } = attempt;
  const { lag, microBatches = 1, batchSize, seed, snapshotSteps } = definition.training;
  if (learners > microBatches) throw tooManyLearners(definition, learners);
  await using opening = new AsyncDisposableStack();
  const plan = { inputs: definition.inputs, fit: subject.fit, batchSize, seed };
  const batches = data.examples.batches(plan, progress.cursor, stages);
  const network = opening.use(await deps.compute.open(definition));
  const addresses = await shardAddresses(deps, attempt.shards, signal);
  const { tables, dense } = network;
  const declaration = { run, fence, lag, microBatches, learner, tables, dense };
  const traffic = countTraffic(opening.use(await deps.openWire(declaration, addresses)));
  const { moved } = traffic;
  const { queues } = deps.meters;
  const wire = countCalls(traffic.wire, queues);
  const opened = opening.move();
  return {
    ...{ wire, moved },
    options: {
      learner: attempt.job,
      own: shareOf(microBatches, learner, learners),
      ...{
        batches,
        wire,
        network: countSteps(network, queues),
        stages,
        lag,
        microBatches,
        snapshotSteps,
      },
      aroundStep: (step, act) =>
        step % deps.traceEverySteps === 0
          ? deps.telemetry.span("step", { attributes: { "heddle.step": step } }, act)
          : act(),
    },
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}

function tooManyLearners({ name, training }: ModelDefinition, learners: number): HeddleError {
  const { microBatches = 1 } = training;
  return new HeddleError(
    "FAILED_PRECONDITION",
    "TOO_MANY_LEARNERS",
    `${learners} learners cannot share the ${microBatches} micro-batches of a step of model ${name}: give its pipeline's train step at most ${microBatches}, or the model's training more microBatches`,
    { metadata: { learners: String(learners), microBatches: String(microBatches) } },
  );
}

async function shardAddresses(
  { scheduler }: TrainDeps,
  shards: number,
  signal: AbortSignal,
): Promise<string[]> {
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

function snapshotDeps(
  { objects, registry }: TrainDeps,
  { run }: Attempt,
  wire: Wire,
  signal: AbortSignal,
): SnapshotDeps {
  return {
    objects,
    wire,
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

function onlyFile(files: readonly ObjectInfo[]): ObjectInfo {
  return present(files.length === 1 ? files[0] : undefined, "the one file of a run's end");
}
