import { readFile } from "node:fs/promises";
import type * as ort from "onnxruntime-node";
import type { StepSpec, TensorData } from "../port.ts";
import { shapeOf } from "../step-inputs.ts";
import type { LoweredStep } from "./lower.ts";
import { inputName } from "./lowering.ts";

export type Runtime = typeof ort;

/** A graph in memory, ready to run. */
export interface Session {
  run(
    inputs: Readonly<Record<string, TensorData>>,
    rows: number,
  ): Promise<Record<string, Float32Array>>;
  /** Waits for runs under way, then frees the graph; doing so twice is harmless. */
  close(): Promise<void>;
}

/** Loads onnxruntime-node, or says why not: the native library exists for some platforms only. */
export async function loadRuntime(): Promise<{ loaded: Runtime } | { failure: unknown }> {
  try {
    const loaded = await import("onnxruntime-node");
    // It reads the level when the first session opens. What goes wrong is thrown as well, so printing adds nothing.
    loaded.env.logLevel = "fatal";
    return { loaded };
  } catch (failure) {
    return { failure };
  }
}

/** Loads a graph. `session.run` computes on the calling thread: the event loop stands still meanwhile. */
export async function openSession(
  runtime: Runtime,
  lowered: LoweredStep,
  spec: StepSpec,
  threads: number,
): Promise<Session> {
  const session = await runtime.InferenceSession.create(lowered.bytes, {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    logSeverityLevel: 4,
    // Threads that wait would burn the cores that other threads of this process need.
    extra: { session: { intra_op: { allow_spinning: "0" } } },
  });
  const outputs = Object.entries(lowered.outputNames);
  const fetches = outputs.map(([, output]) => output);
  const running = new Set<Promise<unknown>>();
  let closing: Promise<void> | undefined;
  const run: Session["run"] = async (inputs, rows) => {
    const feeds: Record<string, ort.Tensor> = {};
    for (const [name, input] of Object.entries(spec.inputs)) {
      const data = inputs[name];
      if (data === undefined) continue;
      feeds[inputName(name)] = new runtime.Tensor(input.dtype, data, shapeOf(input, rows));
    }
    const pending = session.run(feeds, fetches);
    running.add(pending);
    try {
      const results = await pending;
      return Object.fromEntries(outputs.map(([name, output]) => [name, floats(results[output])]));
    } finally {
      running.delete(pending);
    }
  };
  return {
    run,
    close: () => (closing ??= Promise.allSettled(running).then(() => session.release())),
  };
}

/** The instruction set that onnxruntime picks its kernels by: it decides the last bits of a product. */
export async function instructionSet(): Promise<string> {
  if (process.arch !== "x64" || process.platform !== "linux") return process.arch;
  const flags = await readFile("/proc/cpuinfo", "utf8");
  const widest = ["avx512f", "avx2", "avx"].find((flag) => new RegExp(`\\b${flag}\\b`).test(flags));
  return `x64 ${widest ?? "sse2"}`;
}

function floats(tensor: ort.Tensor | undefined): Float32Array {
  if (tensor?.data instanceof Float32Array) return tensor.data;
  throw new TypeError(`the graph gave ${tensor?.type ?? "nothing"} where it declares float32`);
}
