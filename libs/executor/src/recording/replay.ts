import { messageOf } from "@heddle/base";
import type { Step, StepSpec, Tensor, TensorFlow } from "../port.ts";
import { shapeOf, sizeOf } from "../step-inputs.ts";
import { leavingNothing } from "../tfjs/op-by-op.ts";
import { type LoadedTensorFlow, onBackend } from "../tfjs/tensorflow.ts";
import { differenceFrom } from "./differences.ts";
import { sizeAt } from "./dim.ts";
import type { Program } from "./program.ts";
import { type DType, record, type StandIn, type Values } from "./record.ts";

/** What a kernel of TensorFlow.js's cpu backend is given and gives back. */
type KernelFunction = (call: { readonly backend: CpuBackend }) => unknown;

interface CpuBackend {
  write(values: Values, shape: readonly number[], dtype: DType): object;
}

/** Kernels whose result shares its input's buffer: they cost nothing, and who shares with whom must be as it was. */
const sharing = new Set(["Identity", "Reshape", "ExpandDims", "Cast"]);

/**
 * Runs the JavaScript of a recorded step again, for that many rows, and compares it with the program. Kernels compute nothing
 * meanwhile: they give empty tensors of the shapes that the program says, so that this costs about what calling them costs.
 *
 * @returns what the step does otherwise; undefined when it is still the program.
 */
export function changeSince(
  loaded: LoadedTensorFlow,
  program: Program,
  step: Step,
  spec: StepSpec,
  rows: number,
): string | undefined {
  const { tf } = loaded;
  const empty = emptyValues();
  try {
    return onBackend(tf, "cpu", () =>
      leavingNothing(tf, () => {
        const inputs: Record<string, Tensor> = {};
        for (const [name, input] of Object.entries(spec.inputs)) {
          const values = empty(input.dtype, sizeOf(input, rows));
          inputs[name] = tf.tensor(values, shapeOf(input, rows), input.dtype);
        }
        const body = (given: TensorFlow): Record<string, Tensor> => step(given, { ...inputs });
        const now = withoutComputing(tf, program, rows, empty, (standIn) =>
          record(loaded, inputs, body, standIn),
        );
        return differenceFrom(program, now, rows);
      }),
    );
  } catch (error) {
    return messageOf(error);
  }
}

type Empty = (dtype: DType, length: number) => Float32Array | Int32Array | Uint8Array;

/** While `work` runs, kernels of the program give empty tensors. What is made of constants alone is computed: JavaScript may read it. */
function withoutComputing<T>(
  tf: TensorFlow,
  { values, calls }: Program,
  rows: number,
  empty: Empty,
  work: (standIn: StandIn) => T,
): T {
  let next: ((backend: CpuBackend) => unknown) | undefined;
  const standIn: StandIn = {
    announce: (kernel, place, known) => {
      const call = calls[place];
      next = undefined;
      if (known || sharing.has(kernel) || call?.kernel !== kernel) return;
      next = (backend) =>
        call.outputs.map((id) => {
          const { dtype = "float32", shape: dims = [] } = values[id] ?? {};
          const shape = dims.map((dim) => sizeAt(dim, rows));
          const dataId = backend.write(empty(dtype, sizeFrom(shape)), shape, dtype);
          return { dataId, shape, dtype };
        });
    },
    draw: ({ dtype }, shape) => empty(dtype, sizeFrom(shape)),
  };
  const kernels = tf.getKernelsForBackend("cpu") as unknown as { kernelFunc: KernelFunction }[];
  const real = kernels.map(({ kernelFunc }) => kernelFunc);
  for (const kernel of kernels) {
    const { kernelFunc } = kernel;
    kernel.kernelFunc = (call) => {
      const made = next?.(call.backend) as readonly unknown[] | undefined;
      next = undefined;
      if (made === undefined) return kernelFunc(call);
      return made.length === 1 ? made[0] : made;
    };
  }
  try {
    return work(standIn);
  } finally {
    kernels.forEach((kernel, i) => (kernel.kernelFunc = real[i] as KernelFunction));
  }
}

/** Zeros of any length out of one buffer, which nobody writes to. */
function emptyValues(): Empty {
  const arrays = { float32: Float32Array, int32: Int32Array, bool: Uint8Array };
  let zeros = new ArrayBuffer(0);
  return (dtype, length) => {
    if (zeros.byteLength < length * 4) zeros = new ArrayBuffer(length * 4);
    return new arrays[dtype](zeros, 0, length);
  };
}

function sizeFrom(shape: readonly number[]): number {
  return shape.reduce((product, dim) => product * dim, 1);
}
