import { openExecutor } from "@heddle/executor";
import { openObjects } from "@heddle/objects";
import { type Compute, localCompute } from "../compute.ts";
import { type ComputeOptions, openComputeThread } from "./compute-thread.ts";
import type { Thread } from "./thread.ts";

/**
 * Opens what runs the graphs: a thread of its own, but for TensorFlow, whose settings are the process's, so that it runs on the
 * main thread only.
 */
export async function openCompute(
  options: ComputeOptions,
): Promise<Compute & { readonly thread?: Thread } & AsyncDisposable> {
  if (options.executor.kind !== "tensorflow") return openComputeThread(options);
  const objects = await openObjects(options.objects);
  return {
    ...localCompute(await openExecutor(options.executor), objects),
    [Symbol.asyncDispose]: async () => undefined,
  };
}
