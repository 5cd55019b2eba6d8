import { HeddleError, present } from "@heddle/base";
import type { ObjectInfo } from "@heddle/objects";
import type { ModelDefinition } from "@heddle/sdk";
import type { TrainingData } from "./dataset.ts";
import { callMs, type TrainDeps } from "./deps.ts";
import { type Progress, train } from "./loop.ts";
import { type SnapshotDeps, writeFinalSnapshot, writeSnapshot } from "./snapshot.ts";
import type { Stages } from "./stages.ts";
import type { Start } from "./start.ts";
import type { Moved } from "./traffic.ts";
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

/** Trains what is left of the run, on shards returned to where it stands; nothing when only the export is left. */
export async function trainToEnd(
  deps: TrainDeps,
  attempt: Attempt,
  start: Start,
  signal: AbortSignal,
): Promise<End> {
  const { data, stages, definition } = attempt;
  if (start.snapshot !== undefined && start.progress.cursor.partition === data.partitions.length) {
    const { progress, snapshot, files } = start;
    const parameters = onlyFile(files);
    const moved = { pulled: 0, pushed: 0, saved: 0, spared: 0 };
    return { progress, snapshot, parameters, shardCpuSeconds: 0, moved };
  }
  const { batchSize, seed, snapshotSteps } = definition.training;
  const plan = { inputs: definition.inputs, fit: start.subject.fit, batchSize, seed };
  const batches = data.examples.batches(plan, start.progress.cursor, stages);
  await using network = await deps.compute.open(definition);
  const addresses = await shardAddresses(deps, attempt.shards, signal);
  const { lag } = definition.training;
  const { tables, dense } = network;
  const declaration = { run: attempt.run, fence: attempt.fence, lag, tables, dense };
  await using wire = await deps.openWire(declaration, addresses);
  await wire.restore(start.progress.step, start.files);

  const snapshots = snapshotDeps(deps, attempt, wire, signal);
  stages.started();
  const progress = await train(
    {
      learner: attempt.job,
      wire,
      network,
      batches,
      stages,
      lag,
      snapshotSteps,
      aroundStep: (step, run) =>
        step % deps.traceEverySteps === 0
          ? deps.telemetry.span("step", { attributes: { "heddle.step": step } }, run)
          : run(),
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
    ...{ shardCpuSeconds: cpuSeconds, moved: wire.moved() },
  };
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
