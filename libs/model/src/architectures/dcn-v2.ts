import { defineArchitecture, type ParameterSpec, type Tensor } from "@heddle/sdk/architecture";
import { layer, layerParameters, outputLogits, stack, stackParameters } from "./layers.ts";

interface Settings {
  readonly crossLayers: number;
  readonly hidden: readonly number[];
}

/**
 * Full-rank cross layers, x ← x₀ ⊙ (x W + b) + x, and ReLU layers side by side, and the sum of the wide weights.
 *
 * @source Wang et al., "DCN V2: Improved Deep & Cross Network", WWW 2021, parallel structure.
 */
export const dcnV2 = defineArchitecture<Settings>({
  parameters: ({ joined }, { crossLayers, hidden }) => {
    const crosses = Array.from({ length: crossLayers }, (_, i) =>
      layerParameters(`cross${i}`, joined, joined, "glorot"),
    );
    const beside = hidden.at(-1) ?? 0;
    return {
      ...(Object.assign({}, ...crosses) as Record<string, ParameterSpec>),
      ...stackParameters("deep", joined, hidden),
      ...layerParameters("output", joined + beside, 1, "glorot"),
    };
  },
  build: (tf, inputs, { widths, settings: { crossLayers, hidden } }) => {
    const { joined, parameters } = inputs;
    const deep = stack(tf, joined, "deep", hidden, parameters);
    let cross: Tensor = joined;
    for (let i = 0; i < crossLayers; i++) {
      cross = tf.add(tf.mul(joined, layer(tf, cross, `cross${i}`, parameters)), cross);
    }
    const last = hidden.length === 0 ? cross : tf.concat([cross, deep], 1);
    return { logits: outputLogits(tf, last, widths, inputs) };
  },
});
