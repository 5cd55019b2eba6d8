import { instructionSet, inThreads } from "../instruction-set.ts";
import type { Executor } from "../port.ts";
import { openGraphExecutor } from "../recording/graph-executor.ts";
import { type Addon, loadAddon } from "./addon.ts";
import { Graph } from "./graph.ts";
import { lower } from "./lower.ts";
import { openSession } from "./session.ts";

/**
 * The executor whose graphs are TensorFlow's, run by the native addon of @tensorflow/tfjs-node.
 *
 * @throws {HeddleError} as `loadAddon`.
 */
export async function openTensorflow(threads: number): Promise<Executor> {
  const addon = loadAddon(threads, runOneProduct);
  const device = addon.isUsingGpuDevice() ? "gpu, " : "";
  return openGraphExecutor({
    kind: "tensorflow",
    version: `tensorflow ${addon.TF_Version}`,
    details: `${device}${inThreads(threads)}, ${await instructionSet()}`,
    open: async (program, spec) => openSession(addon, lower(program, spec), spec),
  });
}

/** Starts TensorFlow's threads and picks its kernels. */
function runOneProduct(addon: Addon): void {
  const graph = new Graph();
  const one = graph.constant("float32", [1, 1], [1]);
  const y = graph.op("MatMul", [one, one], { T: { type: "float32" } });
  const lowered = { bytes: graph.encode(), inputNames: {}, outputNames: { y } };
  const session = openSession(addon, lowered, { name: "start", inputs: {} });
  session.runNow({}, 1);
  void session.close();
}
