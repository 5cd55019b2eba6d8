import { defineArchitecture, type ParameterSpec, type Tensor } from "@heddle/sdk/architecture";
import { layer, layerParameters, outputLogits, product, stack, stackParameters } from "./layers.ts";

interface Settings {
  readonly crossLayers: number;
  readonly crossRank?: number;
  readonly hidden: readonly number[];
}

/**
 * Cross layers, x ← x₀ ⊙ (x W + b) + x, and ReLU layers side by side, and the sum of the wide weights. With a `crossRank` W is a
 * product U V with that many columns and rows between: the paper's way to pay less for it.
 *
 * @source Wang et al., "DCN V2: Improved Deep & Cross Network", WWW 2021, parallel structure.
 */
export const dcnV2 = defineArchitecture<Settings>({
  parameters: ({ joined }, { crossLayers, crossRank, hidden }) => {
    const crosses = Array.from({ length: crossLayers }, (_, i) =>
      crossParameters(`cross${i}`, joined, crossRank),
    );
    const beside = hidden.at(-1) ?? 0;
    return {
      ...(Object.assign({}, ...crosses) as Record<string, ParameterSpec>),
      ...stackParameters("deep", joined, hidden),
      ...layerParameters("output", joined + beside, 1, "glorot"),
    };
  },
  build: (tf, inputs, { widths, settings: { crossLayers, crossRank, hidden } }) => {
    const { joined, parameters } = inputs;
    const deep = stack(tf, joined, "deep", hidden, parameters);
    let cross: Tensor = joined;
    for (let i = 0; i < crossLayers; i++) {
      const name = `cross${i}`;
      const thin = crossRank === undefined ? cross : product(tf, cross, `${name}_in`, parameters);
      cross = tf.add(tf.mul(joined, layer(tf, thin, name, parameters)), cross);
    }
    const last = hidden.length === 0 ? cross : tf.concat([cross, deep], 1);
    return { logits: outputLogits(tf, last, widths, inputs) };
  },
});

function crossParameters(
  name: string,
  joined: number,
  rank: number | undefined,
): Record<string, ParameterSpec> {
  if (rank === undefined) return layerParameters(name, joined, joined, "glorot");
  return {
    [`${name}_in`]: { shape: [joined, rank], start: "glorot" },
    ...layerParameters(name, rank, joined, "glorot"),
  };
}
