import { orAborted, present } from "@heddle/base";
import type { DatasetColumn } from "@heddle/feature-engine";
import type { ModelInput } from "@heddle/sdk";
import type { ColumnBatch, Fit } from "@heddle/transform";
import type { Batches } from "../data/batches.ts";
import type { BatchPlan, Examples } from "../data/examples.ts";
import type { TrainingPartition } from "../data/reader.ts";
import type { DataCursor, TrainingBatch } from "../data/rows.ts";
import { openThread, type Thread } from "./thread.ts";

/** What the thread is started with. */
export interface DataOptions {
  /** Where the objects lie: a folder, or an s3:// URL. */
  readonly objects: string;
  readonly readerMemoryBytesMax: number;
}

/** Arguments of the thread's methods. */
export interface DatasetWork {
  readonly columns: readonly DatasetColumn[];
  readonly partitions: readonly TrainingPartition[];
}
export interface FitWork {
  readonly inputs: readonly ModelInput[];
}
export interface GoldenWork {
  readonly features: readonly string[];
  readonly seed: number;
}
export interface BatchesWork {
  readonly plan: BatchPlan;
  readonly from: DataCursor;
}
/** Memory for the next batch, and the batch with what it lies in. */
export interface NextWork {
  readonly memory: SharedArrayBuffer;
}
export interface CutBatch {
  readonly batch: TrainingBatch;
  readonly memory: SharedArrayBuffer;
}

export const dataActivities = ["read", "transform"] as const;

/** Batches that are cut before they are asked for. */
const aheadMax = 2;

/**
 * Reads and transforms on a thread of its own, some batches ahead: so many batches are cut ahead, each in
 * memory that an earlier one gave back.
 *
 * @param onReady hears of each batch that lies ready, and of each that is taken.
 * @param entry the program of the thread.
 */
export function openDataThread(
  options: DataOptions,
  onReady: (change: 1 | -1) => void,
  entry = new URL("./data-program.ts", import.meta.url),
) {
  const thread = openThread({ name: "data", entry, options, activities: dataActivities });
  return {
    thread,
    examples: (
      columns: readonly DatasetColumn[],
      partitions: readonly TrainingPartition[],
    ): Examples => {
      const work: DatasetWork = { columns, partitions };
      const opened = thread.call("dataset", work);
      const call = async (method: string, argument: unknown, signal?: AbortSignal) => {
        signal?.throwIfAborted();
        await opened;
        return thread.call(method, argument);
      };
      return {
        fit: async (inputs, signal) =>
          (await call("fit", { inputs } satisfies FitWork, signal)) as Fit,
        golden: async (features, seed, signal) =>
          (await call("golden", { features, seed } satisfies GoldenWork, signal)) as ColumnBatch,
        batches: (plan, from) => batchesOf(thread, { plan, from }, partitions.length, onReady),
      };
    },
    [Symbol.asyncDispose]: () => thread[Symbol.asyncDispose](),
  };
}

/** In memory lie the batches ahead, and those that the loop holds: one pulled for, one that computes, one that is pushed. */
function batchesOf(
  thread: Thread,
  work: BatchesWork,
  partitions: number,
  onReady: (change: 1 | -1) => void,
): Batches {
  const opened = thread.call("batches", work);
  const free: SharedArrayBuffer[] = [];
  const ahead: Promise<CutBatch | undefined>[] = [];
  const ask = (): void => {
    const next: NextWork = { memory: free.pop() ?? new SharedArrayBuffer(0) };
    const cut = thread.call("next", next) as Promise<CutBatch | undefined>;
    ahead.push(cut);
    cut.then(
      () => onReady(1),
      () => undefined,
    );
  };
  for (let n = 0; n < aheadMax; n++) ask();
  return {
    end: { partition: partitions, batch: 0 },
    next: async (signal) => {
      await orAborted(opened, signal);
      const first = present(ahead.shift(), "a batch ahead");
      ask();
      const cut = await orAborted(first, signal);
      onReady(-1);
      return cut && { ...cut.batch, release: () => void free.push(cut.memory) };
    },
  };
}
