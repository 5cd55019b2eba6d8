import { defineArchitecture, type Tensor, type TensorFlow } from "@heddle/sdk/architecture";
import { layerParameters, outputLogits, stack, stackParameters } from "./layers.ts";

interface Settings {
  readonly bottom: readonly number[];
  readonly hidden: readonly number[];
}

/**
 * The numeric inputs become one more vector of an embedding's size; the dot products of all pairs of vectors go, beside that
 * vector, through ReLU layers. The wide weights are added, as in the other architectures.
 *
 * @source Naumov et al., "Deep Learning Recommendation Model for Personalization and Recommendation Systems", 2019.
 */
export const dlrm = defineArchitecture<Settings>({
  parameters: ({ numeric, fields, dimension }, { bottom, hidden }) => {
    const vectors = fields + Number(numeric > 0);
    const pairs = (vectors * (vectors - 1)) / 2;
    const inputs = (numeric > 0 ? dimension : 0) + pairs;
    return {
      ...(numeric > 0 ? stackParameters("bottom", numeric, [...bottom, dimension]) : {}),
      ...stackParameters("deep", inputs, hidden),
      ...layerParameters("output", hidden.at(-1) ?? inputs, 1, "glorot"),
    };
  },
  build: (tf, inputs, { widths, settings: { bottom, hidden } }) => {
    const { fields, dimension, numeric } = widths;
    const { parameters } = inputs;
    const sizes = [...bottom, dimension];
    const dense = numeric > 0 ? [stack(tf, inputs.numeric, "bottom", sizes, parameters)] : [];
    const flat = fields > 0 ? [tf.reshape(inputs.embedded, [-1, fields * dimension])] : [];
    const vectors = side(tf, [...dense, ...flat]);
    const products = pairProducts(tf, vectors, dense.length + fields, dimension);
    const deep = stack(tf, side(tf, [...dense, ...products]), "deep", hidden, parameters);
    return { logits: outputLogits(tf, deep, widths, inputs) };
  },
});

/**
 * Dot products of each vector and the one k places behind it, for k from 1: every pair once, in few large operations.
 *
 * @param vectors side by side, shape [rows, count × dimension].
 */
function pairProducts(tf: TensorFlow, vectors: Tensor, count: number, dimension: number): Tensor[] {
  return Array.from({ length: Math.max(0, count - 1) }, (_, i) => {
    const pairs = count - 1 - i;
    const from = (vector: number): Tensor =>
      tf.slice(vectors, [0, vector * dimension], [-1, pairs * dimension]);
    return tf.sum(tf.reshape(tf.mul(from(0), from(i + 1)), [-1, pairs, dimension]), 2);
  });
}

function side(tf: TensorFlow, parts: readonly Tensor[]): Tensor {
  const [first] = parts;
  return first !== undefined && parts.length === 1 ? first : tf.concat([...parts], 1);
}
