import { defineArchitecture, type Tensor } from "@heddle/sdk/architecture";
import { layerParameters, layer } from "./layers.ts";

/**
 * A linear part over numeric inputs and wide weights, and the products of all pairs of embeddings: half of the square of their
 * sum less the sum of their squares.
 *
 * @source Rendle, "Factorization Machines", ICDM 2010, lemma 3.1.
 */
export const factorisationMachine = defineArchitecture<object>({
  parameters: ({ numeric }) => ({
    ...(numeric > 0
      ? layerParameters("linear", numeric, 1, "glorot")
      : { linear_bias: { shape: [1], start: "zeros" } }),
  }),
  build: (tf, inputs, { widths }) => {
    const { parameters } = inputs;
    const linear: Tensor =
      widths.numeric > 0
        ? tf.reshape(layer(tf, inputs.numeric, "linear", parameters), [-1])
        : (parameters["linear_bias"] as Tensor);
    if (widths.fields === 0) return { logits: linear };
    const squareOfSum = tf.square(tf.sum(inputs.embedded, 1));
    const sumOfSquares = tf.sum(tf.square(inputs.embedded), 1);
    const pairs = tf.mul(0.5, tf.sum(tf.sub(squareOfSum, sumOfSquares), 1));
    return { logits: tf.add(tf.add(pairs, tf.sum(inputs.wide, 1)), linear) };
  },
});
