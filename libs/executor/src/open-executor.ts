import { HeddleError } from "@heddle/base";
import type { Executor } from "./port.ts";

export interface ExecutorOptions {
  /**
   * `auto` is `onnx` where onnxruntime-node loads, else `tfjs`: what npm installs decides it, so that two machines
   * give the same bits. `tensorflow` is taken where it is asked for.
   */
  readonly kind: "auto" | "onnx" | "tensorflow" | "tfjs";
  /** Threads of one step, 1 unless given; another number may give other bits. `tfjs` has one thread only. */
  readonly threads?: number;
}

/** More threads than this are a mistake of units, not a machine. */
const THREADS_MAX = 256;

/**
 * Opens an executor. What it needs is imported here, not with this package, and nothing is fetched.
 *
 * @throws {HeddleError} INVALID_ARGUMENT EXECUTOR_THREADS when `threads` is no whole number from 1 to 256, or
 *   not 1 for `tfjs`, or not what TensorFlow runs with in this process already; FAILED_PRECONDITION EXECUTOR_UNAVAILABLE when `onnx` or `tensorflow` is asked for and does not
 *   load.
 */
export async function openExecutor(options: ExecutorOptions): Promise<Executor> {
  const { kind, threads = 1 } = options;
  if (!Number.isInteger(threads) || threads < 1 || threads > THREADS_MAX) {
    throw wrongThreads(`threads is ${threads}; give a whole number from 1 to ${THREADS_MAX}`);
  }
  if (kind === "tfjs" && threads !== 1) {
    throw wrongThreads(
      `threads is ${threads}; executor tfjs has one thread: ask for onnx or leave it out`,
    );
  }
  if (kind === "tensorflow") {
    const { openTensorflow } = await import("./tensorflow/executor.ts");
    return openTensorflow(threads);
  }
  if (kind !== "tfjs") {
    const { loadRuntime } = await import("./onnx/runtime.ts");
    const runtime = await loadRuntime();
    if ("loaded" in runtime) {
      const { openOnnx } = await import("./onnx/executor.ts");
      return openOnnx(runtime.loaded, threads);
    }
    if (kind === "onnx") {
      throw new HeddleError(
        "FAILED_PRECONDITION",
        "EXECUTOR_UNAVAILABLE",
        "onnxruntime-node does not load on this machine: install it, or use executor kind tfjs",
        { cause: runtime.failure },
      );
    }
  }
  const { openTfjs } = await import("./tfjs/executor.ts");
  return openTfjs();
}

function wrongThreads(message: string): HeddleError {
  return new HeddleError("INVALID_ARGUMENT", "EXECUTOR_THREADS", message);
}
