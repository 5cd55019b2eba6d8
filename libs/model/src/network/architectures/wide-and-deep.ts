import { defineArchitecture } from "@heddle/sdk/architecture";
import { layerParameters, outputLogits, stack, stackParameters } from "./layers.ts";

/**
 * ReLU layers over all inputs side by side, and the sum of the wide weights.
 *
 * @source Cheng et al., "Wide & Deep Learning for Recommender Systems", 2016.
 */
export const wideAndDeep = defineArchitecture<{ readonly hidden: readonly number[] }>({
  parameters: ({ joined }, { hidden }) => ({
    ...stackParameters("deep", joined, hidden),
    ...layerParameters("output", hidden.at(-1) ?? joined, 1, "glorot"),
  }),
  build: (tf, inputs, { widths, settings }) => {
    const deep = stack(tf, inputs.joined, "deep", settings.hidden, inputs.parameters);
    return { logits: outputLogits(tf, deep, widths, inputs) };
  },
});
