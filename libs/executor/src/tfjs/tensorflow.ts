import type { TensorFlow } from "../port.ts";
import { type StepTensorFlow, withDraws } from "../random/operations.ts";
import { registerGradients } from "./gradients.ts";

/** The backends of TensorFlow.js that come from npm alone. */
export type BackendName = "wasm" | "cpu";

/** TensorFlow.js with its backends ready, so that switching between them waits for nothing. */
export interface LoadedTensorFlow {
  readonly tf: TensorFlow;
  /** What a step is given. */
  readonly forSteps: StepTensorFlow;
  /** The fastest backend that this machine can load. */
  readonly fastest: BackendName;
  /** Whether the wasm backend uses SIMD. */
  readonly simd: boolean;
}

let loading: Promise<LoadedTensorFlow> | undefined;

/** Loads TensorFlow.js once per process, because its engine is one global. Nothing is printed or fetched. */
export function loadTensorFlow(): Promise<LoadedTensorFlow> {
  loading ??= load();
  return loading;
}

/**
 * Runs synchronous work on a backend. The current backend is a global of the process, so it is put back:
 * other executors and the caller's own TensorFlow.js code share it.
 */
export function onBackend<T>(tf: TensorFlow, backend: BackendName, work: () => T): T {
  const before = tf.getBackend();
  if (before === backend) return work();
  // Both backends are initialised, so setBackend has switched when it returns; its promise says no more.
  void tf.setBackend(backend);
  try {
    return work();
  } finally {
    if (before) void tf.setBackend(before);
  }
}

async function load(): Promise<LoadedTensorFlow> {
  const tf = await import("@tensorflow/tfjs-core");
  await registerGradients(tf);
  const before = tf.getBackend();
  await import("@tensorflow/tfjs-backend-cpu");
  await tf.setBackend("cpu");
  quietly(tf, () => tf.scalar(0).dispose());
  const fastest = (await loadWasm(tf)) ? "wasm" : "cpu";
  await tf.setBackend(before || fastest);
  const simd = fastest === "wasm" && (await tf.env().getAsync("WASM_HAS_SIMD_SUPPORT")) === true;
  return { tf, forSteps: withDraws(tf), fastest, simd };
}

/** The cpu backend advertises another package at its first tensor; in production mode it does not. */
function quietly(tf: TensorFlow, work: () => void): void {
  const production = tf.env().getBool("PROD");
  tf.env().set("PROD", true);
  try {
    work();
  } finally {
    tf.env().set("PROD", production);
  }
}

/** False where WebAssembly is not to be had: then the cpu backend serves. */
async function loadWasm(tf: TensorFlow): Promise<boolean> {
  const handlers = new Map(fatalEvents.map((event) => [event, new Set(listeners(event))]));
  try {
    await import("@tensorflow/tfjs-backend-wasm");
    return await tf.setBackend("wasm");
  } catch {
    return false;
  } finally {
    // Its loader installs handlers that would decide how the whole process treats an uncaught error.
    for (const [event, known] of handlers) {
      for (const handler of listeners(event)) {
        if (!known.has(handler)) process.off(event, handler);
      }
    }
  }
}

const fatalEvents = ["uncaughtException", "unhandledRejection"] as const;

type Handler = (...args: unknown[]) => void;

function listeners(event: (typeof fatalEvents)[number]): Handler[] {
  return process.listeners(event as "exit") as Handler[];
}
