import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TensorData } from "../port.ts";
import { sizeAt } from "../recording/dim.ts";
import type { GraphInput } from "../recording/program.ts";
import type { Session } from "../recording/session.ts";
import { freeMemory } from "../free-memory.ts";
import { placed } from "../placed.ts";
import type { Addon } from "./addon.ts";
import { elementTypes, Graph } from "./graph.ts";
import type { LoweredStep } from "./lower.ts";

/** Its run is synchronous: `runNow` is `run` without its promise. */
export interface TensorflowSession extends Session {
  runNow(data: Readonly<Record<string, TensorData>>, rows: number): Record<string, Float32Array>;
}

/**
 * Loads a graph. The addon reads it from a folder, which is gone when this returns. `run` computes on the calling
 * thread, so a run is never under way when `close` is called.
 */
export function openSession(
  addon: Addon,
  lowered: LoweredStep,
  inputs: Readonly<Record<string, GraphInput>>,
): TensorflowSession {
  const model = load(addon, lowered.bytes);
  const fed = Object.entries(inputs);
  const feeds = fed.map(([name]) => `${lowered.inputNames[name]}:0`).join();
  const outputs = Object.keys(lowered.outputNames);
  const fetches = outputs.map((name) => `${lowered.outputNames[name]}:0`).join();
  let open = true;
  const runNow: TensorflowSession["runNow"] = (data, rows) => {
    const tensors: number[] = [];
    try {
      for (const [name, input] of fed) tensors.push(createTensor(addon, input, data[name], rows));
      const results = addon.runSavedModel(model, tensors, feeds, fetches);
      // Ids of results are freed with the inputs', also when reading one throws.
      tensors.push(...results.map(({ id }) => id));
      return Object.fromEntries(
        results.map(({ id }, i) => [outputs[i] ?? "", floats(addon.tensorDataSync(id))]),
      );
    } finally {
      for (const id of tensors) addon.deleteTensor(id);
    }
  };
  return {
    runNow,
    // An async function turns what `runNow` throws into a rejection.
    run: async (data, rows, into = {}) => {
      const results = runNow(data, rows);
      const result = placed(results, into);
      for (const name of Object.keys(into)) freeMemory(results[name]);
      return result;
    },
    close: async () => {
      if (open) addon.deleteSavedModel(model);
      open = false;
    },
  };
}

/** Runs one product, which starts TensorFlow's threads and picks its kernels. */
export function startGraph(addon: Addon): void {
  const graph = new Graph();
  const one = graph.constant("float32", [1, 1], [1]);
  const y = graph.op("MatMul", [one, one], { T: { type: "float32" } });
  const lowered = { bytes: graph.encode(), inputNames: {}, outputNames: { y } };
  const session = openSession(addon, lowered, {});
  session.runNow({}, 1);
  void session.close();
}

function load(addon: Addon, bytes: Uint8Array): number {
  const folder = mkdtempSync(join(tmpdir(), "heddle-graph-"));
  try {
    writeFileSync(join(folder, "saved_model.pb"), bytes);
    return addon.loadSavedModel(folder, "serve");
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function createTensor(
  addon: Addon,
  { dtype, shape }: GraphInput,
  values: TensorData | undefined,
  rows: number,
): number {
  if (values === undefined) throw new TypeError("an input of the graph has no values");
  const sizes = shape.map((dim) => sizeAt(dim, rows));
  return addon.createTensor(sizes, elementTypes[dtype], values);
}

function floats(values: unknown): Float32Array {
  if (values instanceof Float32Array) return values;
  throw new TypeError("the graph gave something else where it declares float32");
}
