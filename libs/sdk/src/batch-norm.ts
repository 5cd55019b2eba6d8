import type { ParameterSpec, Tensor, TensorFlow } from "./parameter-spec.ts";

/** Names of the parameters of one batch norm. */
export type BatchNormNames<Name extends string> =
  `${Name}_scale` | `${Name}_shift` | `${Name}_mean` | `${Name}_variance`;

/** The parameters of a batch norm over values of that width: two are learnt, and the statistics move with the batches. */
export function batchNormParameters<Name extends string>(
  name: Name,
  width: number,
  momentum = 0.99,
): Record<BatchNormNames<Name>, ParameterSpec> {
  const shape = [width];
  const moving = { momentum };
  const parameters: Record<string, ParameterSpec> = {
    [`${name}_scale`]: { shape, start: "ones" },
    [`${name}_shift`]: { shape, start: "zeros" },
    [`${name}_mean`]: { shape, start: "zeros", moving },
    [`${name}_variance`]: { shape, start: "ones", moving },
  };
  return parameters;
}

/**
 * Normalises each column of `x`, shape [rows, width]: by the batch's own mean and variance in training, by the moving ones in
 * prediction. Its `updates` belong into what `build` returns. A layer before it needs no bias: the shift is one, and the bias's
 * gradient would be rounding noise around 0, in which graph and op-by-op run do not agree.
 *
 * @source Ioffe and Szegedy, "Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift", ICML 2015.
 */
export function batchNorm<Name extends string>(
  tf: TensorFlow,
  x: Tensor,
  name: Name,
  parameters: Readonly<Record<BatchNormNames<Name>, Tensor>>,
  training: boolean,
  epsilon = 1e-3,
): { readonly output: Tensor; readonly updates: Readonly<Record<string, Tensor>> } {
  const of = (part: "scale" | "shift" | "mean" | "variance"): Tensor =>
    parameters[`${name}_${part}`];
  const mean = training ? tf.mean(x, 0) : of("mean");
  const centred = tf.sub(x, mean);
  const variance = training ? tf.mean(tf.square(centred), 0) : of("variance");
  const normal = tf.div(centred, tf.sqrt(tf.add(variance, epsilon)));
  return {
    output: tf.add(tf.mul(normal, of("scale")), of("shift")),
    updates: training ? { [`${name}_mean`]: mean, [`${name}_variance`]: variance } : {},
  };
}
