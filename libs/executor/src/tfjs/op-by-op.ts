import { seededRandom } from "@heddle/base";
import type {
  CompiledStep,
  RunOptions,
  Step,
  StepSpec,
  Tensor,
  TensorData,
  TensorFlow,
} from "../port.ts";
import { placed } from "../placed.ts";
import { drawNumbers, seedFor, trialSeed } from "../random/draw.ts";
import type { DrawSource } from "../random/operations.ts";
import { stepFailed } from "../step-failed.ts";
import { checkInputs, drawInputs, shapeOf } from "../step-inputs.ts";
import { type BackendName, type LoadedTensorFlow, onBackend } from "./tensorflow.ts";

/** A step run kernel by kernel, at once: `runNow` is `run` without its promise. */
export interface OpByOpStep extends CompiledStep {
  runNow(
    inputs: Readonly<Record<string, TensorData>>,
    rows: number,
    options?: RunOptions,
  ): Record<string, Float32Array>;
}

/**
 * Prepares a step to run on TensorFlow.js's own kernels. It is tried once on few rows, because the wasm
 * backend lacks some kernels (the gradient of gather, for one): such a step runs on the cpu backend.
 *
 * @param backends the backends to try, in this order.
 * @throws {HeddleError} INVALID_ARGUMENT STEP_FAILED when the step throws on every one.
 */
export function compileOpByOp(
  loaded: LoadedTensorFlow,
  step: Step,
  spec: StepSpec,
  backends: readonly BackendName[] = loaded.fastest === "wasm" ? ["wasm", "cpu"] : ["cpu"],
): OpByOpStep {
  const backend = firstThatRuns(loaded, step, spec, backends);
  const runNow: OpByOpStep["runNow"] = (inputs, rows, options = {}) => {
    checkInputs(spec, inputs, rows);
    try {
      return placed(runStep(loaded, backend, step, spec, inputs, rows, options), options.into);
    } catch (error) {
      throw stepFailed(spec, rows, error);
    }
  };
  return {
    description: `${describeBackend(loaded, backend)} (op by op)`,
    ...(spec.precision === "bfloat16"
      ? { precisionReason: "kernels of TensorFlow.js, op by op, compute in float32" }
      : {}),
    runNow,
    // An async function turns what `runNow` throws into a rejection.
    run: async (inputs, rows, options) => runNow(inputs, rows, options),
    [Symbol.asyncDispose]: async () => {},
  };
}

/** A backend with the version that decides its bits, for descriptions. */
export function describeBackend(loaded: LoadedTensorFlow, backend: BackendName): string {
  return `tfjs-${backend} ${loaded.tf.version_core}`;
}

/** Makes tensors of a call's inputs. The cpu backend keeps the arrays; nothing writes to them. */
export function toTensors(
  tf: TensorFlow,
  spec: StepSpec,
  inputs: Readonly<Record<string, TensorData>>,
  rows: number,
): Record<string, Tensor> {
  const tensors: Record<string, Tensor> = {};
  for (const [name, input] of Object.entries(spec.inputs)) {
    const data = inputs[name];
    if (data !== undefined) tensors[name] = tf.tensor(data, shapeOf(input, rows), input.dtype);
  }
  return tensors;
}

/**
 * Runs work that may make tensors and variables and leaves none behind, not even kept ones: `tf.keep` is how
 * a step carries its logits out of `tf.valueAndGrads`.
 */
export function leavingNothing<T>(tf: TensorFlow, work: () => T): T {
  const engine = tf.engine();
  const { registeredVariables, keep } = engine;
  const variablesBefore = new Set(Object.keys(registeredVariables));
  const kept: Tensor[] = [];
  engine.keep = (tensor) => {
    kept.push(tensor);
    return keep.call(engine, tensor) as typeof tensor;
  };
  engine.startScope();
  try {
    return work();
  } finally {
    engine.endScope();
    Reflect.deleteProperty(engine, "keep");
    for (const tensor of kept) {
      if (!tensor.isDisposed) tensor.dispose();
    }
    for (const [name, variable] of Object.entries(registeredVariables)) {
      if (!variablesBefore.has(name)) variable.dispose();
    }
  }
}

function firstThatRuns(
  loaded: LoadedTensorFlow,
  step: Step,
  spec: StepSpec,
  backends: readonly BackendName[],
): BackendName {
  const rows = 2;
  const style = { low: 0.1, high: 0.9, idsBelow: 1 };
  const inputs = drawInputs(spec, rows, style, seededRandom(1));
  let failure: unknown;
  for (const backend of backends) {
    try {
      runStep(loaded, backend, step, spec, inputs, rows, { seed: trialSeed });
      return backend;
    } catch (error) {
      failure = error;
    }
  }
  throw stepFailed(spec, rows, failure);
}

function runStep(
  { tf, forSteps }: LoadedTensorFlow,
  backend: BackendName,
  step: Step,
  spec: StepSpec,
  inputs: Readonly<Record<string, TensorData>>,
  rows: number,
  { seed }: RunOptions,
): Record<string, Float32Array> {
  let place = 0;
  const draw: DrawSource = (wanted, shape) => {
    const size = tf.util.sizeFromShape([...shape]);
    const numbers = drawNumbers(wanted, place++, seedFor(wanted, seed, spec), size);
    return tf.tensor(numbers, [...shape], wanted.dtype);
  };
  return onBackend(tf, backend, () =>
    leavingNothing(tf, () => {
      const tensors = toTensors(tf, spec, inputs, rows);
      const results = forSteps.drawing(draw, () => step(forSteps.tf, tensors));
      const outputs: Record<string, Float32Array> = {};
      for (const [name, tensor] of Object.entries(results)) {
        if (tensor.dtype === "string" || tensor.dtype === "complex64") {
          throw new TypeError(
            `output "${name}" is of type ${tensor.dtype}; an output is of numbers`,
          );
        }
        const values = tensor.dataSync();
        // The cpu backend hands out its own buffer, which may be an input's: the caller gets a copy.
        outputs[name] =
          backend === "wasm" && values instanceof Float32Array ? values : Float32Array.from(values);
      }
      return outputs;
    }),
  );
}
