import type { Tensor, TensorFlow } from "../port.ts";
import type { Draw } from "./draw.ts";

/** Makes the numbers of a random operation, as a tensor of that shape. */
export type DrawSource = (draw: Draw, shape: readonly number[]) => Tensor;

/** TensorFlow.js as steps see it. */
export interface StepTensorFlow {
  readonly tf: TensorFlow;
  /** Runs a step, whose random operations ask this source. */
  drawing<T>(source: DrawSource, work: () => T): T;
}

/**
 * Replaces the random operations. TensorFlow.js's own are seeded by `Math.random`, so no two executors, and no two runs, would
 * draw the same numbers.
 */
export function withDraws(tf: TensorFlow): StepTensorFlow {
  let source: DrawSource | undefined;
  const draw: DrawSource = (wanted, shape) => {
    if (source === undefined) throw new Error("a random operation was called outside of its step");
    return source(wanted, shape);
  };
  return {
    tf: { ...tf, ...operations(tf, draw) },
    drawing: (given, work) => {
      source = given;
      try {
        return work();
      } finally {
        source = undefined;
      }
    },
  };
}

type Shape = readonly number[];
type OperationSeed = number | string | null | undefined;

/** The operations that draw numbers, with TensorFlow.js's arguments and defaults. Types that it alone knows are left to it. */
function operations(tf: TensorFlow, draw: DrawSource): Partial<TensorFlow> {
  const uniform = (
    shape: Shape,
    low = 0,
    high = 1,
    dtype = "float32",
    seed?: OperationSeed,
  ): Tensor =>
    isDrawn(dtype)
      ? draw({ dtype, distribution: { kind: "uniform", low, high }, ...seeded(seed) }, shape)
      : tf.randomUniform(shape as never, low, high, dtype as never, seed ?? undefined);
  const normal =
    (kind: "normal" | "truncatedNormal") =>
    (
      shape: Shape,
      mean = 0,
      deviation = 1,
      dtype?: string | null,
      seed?: OperationSeed,
    ): Tensor => {
      const type = dtype ?? "float32";
      if (!isDrawn(type)) throw new TypeError(`normal numbers are no ${type}`);
      return draw({ dtype: type, distribution: { kind, mean, deviation }, ...seeded(seed) }, shape);
    };
  const dropout = (x: Tensor, rate: number, noiseShape?: Shape, seed?: OperationSeed): Tensor => {
    const input = tf.util.isTypedArray(x) || Array.isArray(x) ? tf.tensor(x as never) : x;
    if (!(rate >= 0 && rate < 1)) {
      throw new TypeError(`rate must be a number in the range [0, 1), but got ${rate}`);
    }
    if (rate === 0) return tf.clone(input);
    const shape = noiseShape?.map((dim, i) => dim ?? input.shape[i] ?? 1);
    const distribution = { kind: "mask", keep: 1 - rate } as const;
    const mask = { dtype: "float32", distribution, ...seeded(seed) } as const;
    return tf.mul(input, draw(mask, shape ?? input.shape));
  };
  const replaced = {
    randomUniform: uniform,
    randomUniformInt: (shape: Shape, low: number, high: number, seed?: OperationSeed) =>
      uniform(shape, low, high, "int32", seed),
    randomNormal: normal("normal"),
    randomStandardNormal: (shape: Shape, dtype?: string, seed?: OperationSeed) =>
      normal("normal")(shape, 0, 1, dtype, seed),
    truncatedNormal: normal("truncatedNormal"),
    dropout,
  };
  return replaced as unknown as Partial<TensorFlow>;
}

function isDrawn(dtype: string): dtype is "float32" | "int32" {
  return dtype === "float32" || dtype === "int32";
}

/** TensorFlow.js takes 0 for no seed. */
function seeded(seed: OperationSeed): Pick<Draw, "seed"> {
  return seed === undefined || seed === null || seed === 0 || seed === ""
    ? {}
    : { seed: String(seed) };
}
