import { present } from "@heddle/base";
import type { ParameterSpec, Tensor, TensorFlow } from "@heddle/sdk/architecture";

type Parameters = Readonly<Record<string, Tensor>>;

/** Weights and bias of a layer; those before a ReLU start as `he`. */
export function layerParameters(
  name: string,
  inputs: number,
  outputs: number,
  start: "he" | "glorot",
): Record<string, ParameterSpec> {
  return {
    [`${name}_weights`]: { shape: [inputs, outputs], start },
    [`${name}_bias`]: { shape: [outputs], start: "zeros" },
  };
}

/** ReLU layers one behind the other: `deep0`, `deep1` and on, for the name `deep`. */
export function stackParameters(
  name: string,
  inputs: number,
  sizes: readonly number[],
): Record<string, ParameterSpec> {
  const layers = sizes.map((size, i) =>
    layerParameters(`${name}${i}`, sizes[i - 1] ?? inputs, size, "he"),
  );
  return Object.assign({}, ...layers) as Record<string, ParameterSpec>;
}

/** x W + b */
export function layer(tf: TensorFlow, x: Tensor, name: string, parameters: Parameters): Tensor {
  const bias = present(parameters[`${name}_bias`], `${name}_bias`);
  return tf.add(product(tf, x, `${name}_weights`, parameters), bias);
}

/** x W */
export function product(tf: TensorFlow, x: Tensor, name: string, parameters: Parameters): Tensor {
  return tf.matMul(x, present(parameters[name], name));
}

export function stack(
  tf: TensorFlow,
  x: Tensor,
  name: string,
  sizes: readonly number[],
  parameters: Parameters,
): Tensor {
  return sizes.reduce<Tensor>((h, _, i) => tf.relu(layer(tf, h, `${name}${i}`, parameters)), x);
}

/** Logits of an output layer and, where there are embeddings, their wide weights: shape [rows]. */
export function outputLogits(
  tf: TensorFlow,
  last: Tensor,
  { fields }: { readonly fields: number },
  inputs: { readonly wide: Tensor; readonly parameters: Parameters },
): Tensor {
  const logits = tf.reshape(layer(tf, last, "output", inputs.parameters), [-1]);
  return fields === 0 ? logits : tf.add(logits, tf.sum(inputs.wide, 1));
}
