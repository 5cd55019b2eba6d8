import type * as tfcore from "@tensorflow/tfjs-core";

export type TensorFlow = typeof tfcore;
export type Tensor = tfcore.Tensor;

/** What an input looks like. `"rows"` is the open dimension: the number of examples of a call. */
export interface InputSpec {
  readonly dtype: "float32" | "int32";
  readonly shape: readonly (number | "rows")[];
}

/**
 * A step in plain TensorFlow.js: a pure function of its inputs and of the run's seed. It holds no variables; parameters,
 * rates and every other number that changes are inputs, so that a recorded graph never goes stale. Random operations
 * (`dropout`, `randomUniform`, `randomNormal`, `truncatedNormal`, …) are to be called on the `tf` that it is given.
 */
export type Step = (tf: TensorFlow, inputs: Record<string, Tensor>) => Record<string, Tensor>;

export interface StepSpec {
  readonly name: string;
  readonly inputs: Readonly<Record<string, InputSpec>>;
  /**
   * What the operands of large matrix products are rounded to, `float32` unless given. Sums are kept in float32, and so are inputs
   * and outputs. `bfloat16` is used where the processor gains by it; where not, `precisionReason` says why.
   */
  readonly precision?: Precision;
}

export type Precision = "float32" | "bfloat16";

export type TensorData = Float32Array | Int32Array;

export interface RunOptions {
  /**
   * Whole numbers from 0 that name the run's random numbers, say (seed of the training, step, micro-batch). The numbers that
   * random operations of the step draw are a pure function of these, the same in every executor.
   */
  readonly seed?: readonly number[];
  /**
   * Where outputs of these names are written, row-major, instead of memory of their own: a caller that uses its memory again spares
   * fresh pages and their collection, which cost more than writing them does.
   */
  readonly into?: Readonly<Record<string, Float32Array>>;
}

/** A step ready to run, on any number of rows. */
export interface CompiledStep {
  /** Which executor runs it, and whether as a graph: `onnx 1.30.0 (graph)`, `tfjs-wasm 4.22.0 (op by op)`. */
  readonly description: string;
  /** Why the step runs op by op although the executor can run graphs; absent when it runs as asked. */
  readonly fallbackReason?: string | undefined;
  /** Why products are computed in float32 although the spec asks for bfloat16; absent when they are as asked. */
  readonly precisionReason?: string | undefined;
  /**
   * Runs the step once.
   *
   * @param inputs row-major, one for each input of the spec; not kept after the call.
   * @param rows the value of the open dimension, at least 1.
   * @returns row-major outputs by name; they belong to the caller. Those of `into` are the arrays given.
   * @throws {HeddleError} INVALID_ARGUMENT STEP_INPUT when an input is missing or has another size, and when the step draws
   *   random numbers but no seed is given;
   *   INVALID_ARGUMENT STEP_FAILED when the step itself throws, for an id outside of a table, say, and when `into` has no output's name
   *   or size.
   */
  run(
    inputs: Readonly<Record<string, TensorData>>,
    rows: number,
    options?: RunOptions,
  ): Promise<Record<string, Float32Array>>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Runs steps. Bytes belong to one executor: two executors agree to 1e-5, one executor with itself exactly. */
export interface Executor {
  readonly kind: "onnx" | "tensorflow" | "tfjs";
  /** Name, version and what decides its bits (threads, backend), for a model's recipe. */
  readonly environment: string;
  compile(step: Step, spec: StepSpec): Promise<CompiledStep>;
}
