import type { ExecutorOptions } from "@heddle/executor";
import type { ObjectInfo } from "@heddle/objects";
import type { Compute } from "../compute.ts";
import { gradientsLike, type Network, type StepBatch, type StepRuns } from "../network.ts";
import type { Gradients, Pulled } from "../wire/wire.ts";
import { openSharedMemory, type SharedMemory } from "./shared-memory.ts";
import { openThread, type Thread } from "./thread.ts";
import { parametersOf } from "../parameters.ts";

/** What the thread is started with. */
export interface ComputeOptions {
  readonly executor: ExecutorOptions;
  /** Where the objects lie: a folder, or an s3:// URL. */
  readonly objects: string;
}

/** One step's work, in memory that both threads see. */
export interface StepWork {
  readonly batch: StepBatch;
  readonly pulled: Pulled;
  readonly into: Gradients;
}

export const computeActivities = ["wait", "compute"] as const;

/**
 * Computes on a thread of its own. Rows and gradients lie in memory that is shared and used again; a batch, and what was pulled, cross as
 * they are where they lie in shared memory already.
 *
 * @param entry the program of the thread.
 */
export async function openComputeThread(
  options: ComputeOptions,
  entry = new URL("./compute-program.ts", import.meta.url),
): Promise<Compute & { readonly thread: Thread } & AsyncDisposable> {
  const thread = openThread({ name: "compute", entry, options, activities: computeActivities });
  try {
    const environment = (await thread.call("environment", undefined)) as string;
    return {
      thread,
      environment,
      open: async (definition) => {
        await thread.call("open", definition);
        const step = stepOn(thread);
        const close = async (): Promise<void> => void (await thread.call("close", undefined));
        return { ...parametersOf(definition), step, [Symbol.asyncDispose]: close };
      },
      runs: async () => (await thread.call("runs", undefined)) as StepRuns | undefined,
      write: async (order) => (await thread.call("write", order)) as ObjectInfo,
      [Symbol.asyncDispose]: () => thread[Symbol.asyncDispose](),
    };
  } catch (error) {
    await thread[Symbol.asyncDispose]();
    throw error;
  }
}

/** Memory is opened for as much as the loop holds at a time: a step that computes, a step that is pushed. */
function stepOn(thread: Thread): Network["step"] {
  const free: SharedMemory[] = [];
  return async ({ at, microBatch, rows, numeric, index, label, weight }, pulled) => {
    const memory = free.pop() ?? openSharedMemory();
    memory.reset();
    const into = gradientsLike(pulled, (length) => memory.float32(length));
    const work: StepWork = {
      batch: {
        ...{ at, rows, numeric, index, label, weight },
        ...(microBatch === undefined ? {} : { microBatch }),
      },
      pulled: { rows: shared(pulled.rows, memory), dense: shared(pulled.dense, memory) },
      into,
    };
    const loss = (await thread.call("step", work)) as number;
    return { loss, gradients: into, release: () => void free.push(memory) };
  };
}

/** What does not lie in shared memory already is copied there. */
function shared(arrays: Pulled["rows"], memory: SharedMemory): Record<string, Float32Array> {
  const copies = Object.entries(arrays).map(([name, values]) => {
    if (values.buffer instanceof SharedArrayBuffer) return [name, values] as const;
    const copy = memory.float32(values.length);
    copy.set(values);
    return [name, copy] as const;
  });
  return Object.fromEntries(copies);
}
