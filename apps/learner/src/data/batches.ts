import { HeddleError } from "@heddle/base";
import { groupByShard } from "@heddle/kernels";
import type { TransformProgram } from "@heddle/transform";
import type { ExampleReader, TrainingPartition } from "./reader.ts";
import {
  batchCutter,
  batchesOf,
  type DataCursor,
  openPartition,
  type PartitionRows,
  type TrainingBatch,
} from "./rows.ts";
import type { Stages } from "../meters/stages.ts";
import type { BatchMemory } from "./batch-memory.ts";

export interface BatchesOptions {
  readonly reader: ExampleReader;
  readonly partitions: readonly TrainingPartition[];
  readonly program: TransformProgram;
  readonly batchSize: number;
  readonly seed: number;
  /** By which each batch's ids are grouped. */
  readonly shards: number;
  readonly stages: Pick<Stages, "work">;
  /** Where the next batch lies; arrays of its own when absent. */
  readonly memory?: () => BatchMemory;
}

/** A run's batches, one after the other from a cursor on. */
export interface Batches {
  /** The next batch; undefined after the last. */
  next(signal: AbortSignal): Promise<TrainingBatch | undefined>;
  /** The cursor behind the last batch. */
  readonly end: DataCursor;
}

/**
 * Reads partitions in order, the next one while the current one trains: at most two are in memory.
 *
 * @throws {HeddleError} DATA_LOSS DATASET_DIFFERS from `next` when a file's rows are not those of the manifest.
 */
export function openBatches(options: BatchesOptions, from: DataCursor): Batches {
  const { partitions, batchSize, seed, shards, stages, memory } = options;
  let at = from;
  let loading: Promise<PartitionRows> | undefined;
  let current: { index: number; cut: ReturnType<typeof batchCutter> } | undefined;

  const load = (index: number, signal: AbortSignal): Promise<PartitionRows> | undefined => {
    const partition = partitions[index];
    if (partition === undefined) return undefined;
    const loaded = readPartition(options, partition, signal);
    // Who waits for it learns of a failure; until then nobody does.
    loaded.catch(() => undefined);
    return loaded;
  };
  return {
    end: { partition: partitions.length, batch: 0 },
    next: async (signal) => {
      const partition = partitions[at.partition];
      if (partition === undefined) return undefined;
      if (current?.index !== at.partition) {
        const index = at.partition;
        const data = await (loading ?? load(index, signal));
        if (data === undefined) return undefined;
        current = {
          index,
          cut: stages.work("transform", () => batchCutter(data, index, batchSize, seed)),
        };
        loading = load(index + 1, signal);
      }
      const { cut } = current;
      const batch = stages.work("transform", () => {
        const whole = cut(at.batch, memory?.());
        groupByShard(whole.ids, whole.index, shards);
        return whole;
      });
      const last = at.batch + 1 === batchesOf(partition.rows, batchSize);
      at = last
        ? { partition: at.partition + 1, batch: 0 }
        : { partition: at.partition, batch: at.batch + 1 };
      return batch;
    },
  };
}

async function readPartition(
  { reader, program, stages }: BatchesOptions,
  partition: TrainingPartition,
  signal: AbortSignal,
): Promise<PartitionRows> {
  const gathered = openPartition(partition.partition, partition.rows, program);
  for await (const batch of reader.read(partition, program.features)) {
    signal.throwIfAborted();
    stages.work("transform", () => gathered.add(batch));
  }
  if (gathered.received !== partition.rows) {
    throw new HeddleError(
      "DATA_LOSS",
      "DATASET_DIFFERS",
      `partition ${partition.partition} has ${gathered.received} rows, its manifest says ${partition.rows}: build the dataset again`,
    );
  }
  return gathered.rows();
}
