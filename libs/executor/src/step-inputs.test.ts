import { seededRandom } from "@heddle/base";
import assert from "node:assert/strict";
import { test } from "node:test";
import { drawInputs } from "./step-inputs.ts";

test("parameters are drawn smaller by the root of their height, examples and biases are not", () => {
  const inputs = {
    weights: { dtype: "float32", shape: [400, 3] },
    bias: { dtype: "float32", shape: [1_200] },
    examples: { dtype: "float32", shape: ["rows", 30] },
  } as const;
  const style = { low: -0.5, high: 0.5, idsBelow: 1 };
  const drawn = drawInputs({ name: "layer", inputs }, 40, style, seededRandom(1));
  const largest = (name: keyof typeof inputs): number => Math.max(...drawn[name]!.map(Math.abs));
  assert.ok(largest("weights") > 0.49 / 20 && largest("weights") <= 0.5 / 20);
  for (const name of ["bias", "examples"] as const) assert.ok(largest(name) > 0.49);
});
