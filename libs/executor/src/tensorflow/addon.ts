import { HeddleError } from "@heddle/base";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { isMainThread } from "node:worker_threads";

/** What we use of the native addon of @tensorflow/tfjs-node. Element types are TensorFlow's numbers. */
export interface Addon {
  readonly TF_Version: string;
  isUsingGpuDevice(): boolean;
  createTensor(shape: readonly number[], dtype: number, values: ArrayBufferView): number;
  deleteTensor(id: number): void;
  tensorDataSync(id: number): unknown;
  loadSavedModel(folder: string, tags: string): number;
  deleteSavedModel(id: number): void;
  runSavedModel(
    model: number,
    tensors: readonly number[],
    inputs: string,
    outputs: string,
  ): readonly { readonly id: number }[];
}

/** How to get what this executor needs; said wherever it is missing. */
export const setupCommand = "npm run setup:tensorflow";

const require = createRequire(import.meta.url);

/**
 * The addon on this machine, GPU builds first: what the set-up command made beside node_modules, else that of
 * an installed @tensorflow/tfjs-node. Only the addon is used of that package: its JavaScript would replace the
 * backend of the process's TensorFlow.js, and does not load on Node 23 or newer.
 */
export function findAddon(): string | undefined {
  const modules = dirname(dirname(dirname(require.resolve("@tensorflow/tfjs-core/package.json"))));
  const setUp = ["gpu", "cpu"].map((flavour) =>
    join(dirname(modules), ".heddle-tensorflow", flavour, "tfjs_binding.node"),
  );
  const installed = ["tfjs-node-gpu", "tfjs-node"].map((name) =>
    join(modules, "@tensorflow", name, "lib/napi-v8/tfjs_binding.node"),
  );
  return [...setUp, ...installed].find((file) => existsSync(file));
}

/** What TensorFlow reads when it starts: quiet, the same bytes again, and as many threads as asked. */
function settings(threads: number): Readonly<Record<string, string>> {
  return {
    TF_CPP_MIN_LOG_LEVEL: "3",
    TF_DETERMINISTIC_OPS: "1",
    TF_ENABLE_ONEDNN_OPTS: "1",
    TF_NUM_INTEROP_THREADS: "1",
    TF_NUM_INTRAOP_THREADS: String(threads),
  };
}

let loaded: { readonly addon: Addon; readonly threads: number } | undefined;

/**
 * Loads the addon, once per process: TensorFlow's threads are the process's.
 *
 * @param start runs a first graph, for some settings are read no sooner.
 * @throws {HeddleError} FAILED_PRECONDITION EXECUTOR_UNAVAILABLE when it is not installed or does not load, and
 *   on a worker thread, which cannot hand TensorFlow its settings; INVALID_ARGUMENT EXECUTOR_THREADS when the
 *   process runs TensorFlow with another number of threads.
 */
export function loadAddon(threads: number, start: (addon: Addon) => void): Addon {
  if (loaded !== undefined) {
    if (loaded.threads === threads) return loaded.addon;
    throw new HeddleError(
      "INVALID_ARGUMENT",
      "EXECUTOR_THREADS",
      `threads is ${threads}, but TensorFlow runs with ${loaded.threads} in this process already: ask for as many`,
    );
  }
  if (!isMainThread)
    throw unavailable("it cannot start on a worker thread: use executor onnx there");
  const file = findAddon();
  if (file === undefined) throw unavailable(`it is not installed: ${setupCommand}`);
  const before = { ...process.env };
  Object.assign(process.env, settings(threads));
  try {
    const addon = require(file) as Addon;
    start(addon);
    loaded = { addon, threads };
    return addon;
  } catch (error) {
    throw unavailable(`${file} does not load: install it again by ${setupCommand}`, error);
  } finally {
    for (const name of Object.keys(settings(threads))) {
      if (before[name] === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = before[name];
    }
  }
}

function unavailable(why: string, cause?: unknown): HeddleError {
  return new HeddleError(
    "FAILED_PRECONDITION",
    "EXECUTOR_UNAVAILABLE",
    `executor tensorflow does not run here; ${why}`,
    cause === undefined ? {} : { cause },
  );
}
