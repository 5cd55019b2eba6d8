import { instructionSet, inThreads } from "../instruction-set.ts";
import type { Executor } from "../port.ts";
import { openGraphExecutor } from "../recording/graph-executor.ts";
import { lower } from "./lower.ts";
import { openSession, type Runtime } from "./runtime.ts";

/** The executor whose graphs are ONNX, run by onnxruntime-node. */
export async function openOnnx(runtime: Runtime, threads: number): Promise<Executor> {
  return openGraphExecutor({
    kind: "onnx",
    version: `onnx ${runtime.env.versions.node ?? runtime.env.versions.common}`,
    bfloat16Lack: "onnxruntime has no matrix products in bfloat16 on a CPU",
    details: `${inThreads(threads)}, ${await instructionSet()}`,
    open: (program, inputs) => openSession(runtime, lower(program, inputs), inputs, threads),
  });
}
