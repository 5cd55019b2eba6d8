import { present } from "@heddle/base";
import type { ObjectInfo } from "@heddle/objects";
import { type Attempt, isAtEnd } from "../attempt.ts";
import type { Layer } from "../cuts/chain.ts";
import { type CutDeps, openCuts } from "../cuts/cuts.ts";
import type { Start } from "../cuts/start.ts";
import { callMs, type TrainDeps } from "../deps.ts";
import { boundsOf, joinGang } from "./gang.ts";
import type { Progress } from "../loop/progress.ts";
import { type ShardLoss, watchShards } from "./lost-shards.ts";
import { type Moved, nothingMoved } from "../wire/traffic.ts";
import type { Overlap, RowTurnover, Wire } from "../wire/wire.ts";

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
