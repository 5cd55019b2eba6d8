import type * as ort from "onnxruntime-node";
import { freeMemory } from "../free-memory.ts";
import { checkPlaces } from "../placed.ts";
import { sizeAt } from "../recording/dim.ts";
import type { GraphInput } from "../recording/program.ts";
import type { Session } from "../recording/session.ts";
import type { LoweredStep } from "./lower.ts";
import { inputName } from "./lowering.ts";

export type Runtime = typeof ort;

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
  inputs: Readonly<Record<string, GraphInput>>,
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
  const outputs = Object.entries(lowered.outputs);
  const running = new Set<Promise<unknown>>();
  let closing: Promise<void> | undefined;
  const run: Session["run"] = async (given, rows, into = {}) => {
    const feeds: Record<string, ort.Tensor> = {};
    for (const [name, { dtype, shape }] of Object.entries(inputs)) {
      const data = given[name];
      if (data === undefined) continue;
      const sizes = shape.map((dim) => sizeAt(dim, rows));
      feeds[inputName(name)] = new runtime.Tensor(dtype, data, sizes);
    }
    checkPlaces(lowered.outputs, into);
    const fetches = outputs.map(([name, { name: output, shape }]) => {
      const place = into[name];
      if (place === undefined) return [output, null] as const;
      const sizes = shape.map((dim) => sizeAt(dim, rows));
      return [output, new runtime.Tensor("float32", place, sizes)] as const;
    });
    const pending = session.run(feeds, Object.fromEntries(fetches));
    running.add(pending);
    try {
      const results = await pending;
      // It fills the places that it is given, and then copies each for its answer all the same.
      for (const [name, output] of outputs) {
        if (into[name] !== undefined) freeMemory(results[output.name]?.data);
      }
      return Object.fromEntries(
        outputs.map(([name, output]) => [name, into[name] ?? floats(results[output.name])]),
      );
    } finally {
      running.delete(pending);
    }
  };
  return {
    run,
    close: () => (closing ??= Promise.allSettled(running).then(() => session.release())),
  };
}

function floats(tensor: ort.Tensor | undefined): Float32Array {
  if (tensor?.data instanceof Float32Array) return tensor.data;
  throw new TypeError(`the graph gave ${tensor?.type ?? "nothing"} where it declares float32`);
}
