import type { DatasetColumn } from "@heddle/feature-engine";
import type { ModelInput } from "@heddle/sdk";
import type { ColumnBatch, Fit } from "@heddle/transform";
import type { Batches } from "../batches.ts";
import type { BatchPlan, Examples } from "../examples.ts";
import type { TrainingPartition } from "../reader.ts";
import type { DataCursor, TrainingBatch } from "../rows.ts";
import { openQueue } from "./queue.ts";
import { openThread, type Thread } from "./thread.ts";

/** What the thread is started with. */
export interface DataOptions {
  /** Folder of the object store. */
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
/** The next batch, in the memory of that slot. */
export interface NextWork {
  readonly slot: number;
}

export const dataActivities = ["read", "transform"] as const;

/** Batches in memory: one that is pushed, one that computes, one that is pulled for, and one that is cut. */
export const batchSlots = 4;

/**
 * Reads and transforms on a thread of its own, some batches ahead: a batch is cut as soon as another one gives its memory
 * back, and no sooner.
 *
 * @param entry the program of the thread.
 * @param onAsked hears how many batches lay ready when the next one was asked for.
 */
export function openDataThread(
  options: DataOptions,
  entry = new URL("./data-program.ts", import.meta.url),
  onAsked: (ready: number) => void = () => undefined,
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
        batches: (plan, from) => batchesOf(thread, { plan, from }, partitions.length, onAsked),
      };
    },
    [Symbol.asyncDispose]: () => thread[Symbol.asyncDispose](),
  };
}

type Asked = { readonly slot: number; readonly batch: Promise<TrainingBatch | undefined> };

function batchesOf(
  thread: Thread,
  work: BatchesWork,
  partitions: number,
  onAsked: (ready: number) => void,
): Batches {
  const asked = openQueue<Asked>();
  let ready = 0;
  const ask = (slot: number): void => {
    const next: NextWork = { slot };
    const batch = thread.call("next", next) as Asked["batch"];
    asked.put({ slot, batch });
    batch.then(
      () => (ready += 1),
      () => undefined,
    );
  };
  const opened = thread.call("batches", work);
  for (let slot = 0; slot < batchSlots; slot++) ask(slot);
  return {
    end: { partition: partitions, batch: 0 },
    next: async (signal) => {
      await orAborted(opened, signal);
      onAsked(ready);
      const { slot, batch } = await orAborted(asked.take(), signal);
      const cut = await orAborted(batch, signal);
      ready -= 1;
      return cut && { ...cut, release: () => ask(slot) };
    },
  };
}

/** The result, unless the signal aborts first. */
async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal.reason as Error);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
