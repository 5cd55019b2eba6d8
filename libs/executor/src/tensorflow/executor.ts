import { bfloat16Lack, instructionSet, inThreads } from "../instruction-set.ts";
import type { Executor } from "../port.ts";
import { type GraphRuntime, openGraphExecutor } from "../recording/graph-executor.ts";
import { type Addon, loadAddon } from "./addon.ts";
import { lower } from "./lower.ts";
import { openSession, startGraph } from "./session.ts";

/**
 * The executor whose graphs are TensorFlow's, run by the native addon of @tensorflow/tfjs-node.
 *
 * @throws {HeddleError} as `loadAddon`.
 */
export async function openTensorflow(threads: number): Promise<Executor> {
  const addon = loadAddon(threads, startGraph);
  const lack = addon.isUsingGpuDevice()
    ? "bfloat16 was never tried on a GPU"
    : await bfloat16Lack();
  return openGraphExecutor(await tensorflowRuntime(addon, threads, lack));
}

/** @param lack why products in bfloat16 would not gain; undefined where they do. It decides bits, so the details say so. */
export async function tensorflowRuntime(
  addon: Addon,
  threads: number,
  lack: string | undefined,
): Promise<GraphRuntime> {
  const device = addon.isUsingGpuDevice() ? "gpu, " : "";
  const narrow = lack === undefined ? ", bfloat16" : "";
  return {
    kind: "tensorflow",
    version: `tensorflow ${addon.TF_Version}`,
    details: `${device}${inThreads(threads)}, ${await instructionSet()}${narrow}`,
    bfloat16Lack: lack,
    open: async (program, inputs, precision) =>
      openSession(addon, lower(program, inputs, precision), inputs),
  };
}
