import { instructionSet, inThreads } from "../instruction-set.ts";
import type { Executor } from "../port.ts";
import { openGraphExecutor } from "../recording/graph-executor.ts";
import { loadAddon } from "./addon.ts";
import { lower } from "./lower.ts";
import { openSession, startGraph } from "./session.ts";

/**
 * The executor whose graphs are TensorFlow's, run by the native addon of @tensorflow/tfjs-node.
 *
 * @throws {HeddleError} as `loadAddon`.
 */
export async function openTensorflow(threads: number): Promise<Executor> {
  const addon = loadAddon(threads, startGraph);
  const device = addon.isUsingGpuDevice() ? "gpu, " : "";
  return openGraphExecutor({
    kind: "tensorflow",
    version: `tensorflow ${addon.TF_Version}`,
    details: `${device}${inThreads(threads)}, ${await instructionSet()}`,
    open: async (program, inputs) => openSession(addon, lower(program, inputs), inputs),
  });
}
