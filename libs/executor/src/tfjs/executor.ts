import type { Executor } from "../port.ts";
import { compileOpByOp, describeBackend } from "./op-by-op.ts";
import { type LoadedTensorFlow, loadTensorFlow } from "./tensorflow.ts";

/** The executor that every machine can run: TensorFlow.js's kernels, one after another, on one thread. */
export async function openTfjs(): Promise<Executor> {
  const loaded = await loadTensorFlow();
  return {
    kind: "tfjs",
    environment: tfjsEnvironment(loaded),
    compile: async (step, spec) => compileOpByOp(loaded, step, spec),
  };
}

/** What decides the bits of steps run op by op. WebAssembly computes alike everywhere; the cpu backend is V8's. */
export function tfjsEnvironment(loaded: LoadedTensorFlow): string {
  const name = describeBackend(loaded, loaded.fastest);
  return loaded.fastest === "wasm"
    ? `${name} (${loaded.simd ? "simd" : "no simd"}, 1 thread)`
    : `${name} (v8 ${process.versions.v8})`;
}
