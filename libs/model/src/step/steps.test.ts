import { present, seededRandom } from "@heddle/base";
import { openExecutor } from "@heddle/executor";
import type { Architecture, ModelDefinition } from "@heddle/sdk";
import assert from "node:assert/strict";
import { test } from "node:test";
import { slowLogit, slowLossSum, type Values } from "../fixtures/oracle.ts";
import { tinyModel } from "../fixtures/tiny.ts";
import { widthsOf } from "../network/architecture.ts";
import { denseParameters } from "../parameters/parameters.ts";
import { predictStep, trainStep } from "./steps.ts";

const architectures: readonly Architecture[] = [
  { kind: "wide-and-deep", dimension: 3, hidden: [5, 4] },
  { kind: "wide-and-deep", dimension: 2, hidden: [] },
  { kind: "dcn-v2", dimension: 3, crossLayers: 2, hidden: [5] },
  { kind: "dcn-v2", dimension: 2, crossLayers: 1, hidden: [] },
  { kind: "dcn-v2", dimension: 3, crossLayers: 2, crossRank: 4, hidden: [5] },
  { kind: "dlrm", dimension: 3, bottom: [4], hidden: [5] },
  { kind: "dlrm", dimension: 2, bottom: [], hidden: [] },
  { kind: "factorisation-machine", dimension: 3 },
];
const rows = 7;

/** Random values for all inputs of the training step, without the label. */
function inputsOf(definition: ModelDefinition): Record<string, Float32Array> {
  const { label: _, ...inputs } = trainStep(definition).spec.inputs;
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { shape }]) => {
      const random = seededRandom(5).split(name);
      const length = shape.reduce<number>(
        (size, side) => size * (side === "rows" ? rows : side),
        1,
      );
      return [name, Float32Array.from({ length }, () => random.normal() / 2)];
    }),
  );
}

/** The same rows as the predicting step reads them. */
function joinedOf(definition: ModelDefinition, inputs: Values): Record<string, Float32Array> {
  const { numeric, embedded, ...dense } = inputs;
  const widths = widthsOf(definition);
  const joined: number[] = [];
  const wide: number[] = [];
  for (let row = 0; row < rows; row++) {
    joined.push(
      ...(numeric ?? new Float32Array()).subarray(row * widths.numeric, (row + 1) * widths.numeric),
    );
    for (let field = 0; field < widths.fields; field++) {
      const at = (row * widths.fields + field) * (1 + widths.dimension);
      const [weight, ...embedding] = embedded?.subarray(at, at + 1 + widths.dimension) ?? [];
      wide.push(weight ?? NaN);
      joined.push(...embedding);
    }
  }
  const ofFields = widths.fields === 0 ? {} : { wide: Float32Array.from(wide) };
  return { ...dense, joined: Float32Array.from(joined), ...ofFields };
}

const variants = architectures.flatMap((architecture) => {
  const whole = tinyModel(architecture);
  const only = (kind: string): ModelDefinition => ({
    ...whole,
    inputs: whole.inputs.filter((input) => input.kind === kind),
  });
  const name = Object.values(architecture).map(String).join(" ");
  return [
    [name, whole],
    [`${name}, numeric inputs only`, only("numeric")],
    [`${name}, embedding inputs only`, only("embedding")],
  ] as const;
});

for (const [name, definition] of variants) {
  test(`${name}: predictions, loss and gradients are those of the float64 oracle`, async () => {
    const executor = await openExecutor({ kind: "auto" });
    const inputs = inputsOf(definition);
    const label = Float32Array.from({ length: rows }, (_, i) => i % 2);
    const expected = label.map((_, row) => 1 / (1 + Math.exp(-slowLogit(definition, inputs, row))));

    const predict = predictStep(definition);
    await using predicting = await executor.compile(predict.step, predict.spec);
    assert.equal(predicting.fallbackReason, undefined);
    const predicted = await predicting.run(joinedOf(definition, inputs), rows);
    near(predicted["predictions"], expected, 1e-5);

    const train = trainStep(definition);
    await using training = await executor.compile(train.step, train.spec);
    assert.equal(training.fallbackReason, undefined);
    const outputs = await training.run({ ...inputs, label }, rows);
    near(outputs["predictions"], expected, 1e-5);
    near(outputs["loss"], [slowLossSum(definition, inputs, label) / rows], 1e-5);
    const learned = Object.keys(inputs).filter((input) => input !== "numeric");
    assert.deepEqual(
      Object.keys(outputs)
        .filter((output) => output.startsWith("grad_"))
        .sort(),
      learned.map((input) => `grad_${input}`).sort(),
    );
    for (const input of learned) {
      near(outputs[`grad_${input}`], slowGradient(definition, inputs, label, input), 2e-4);
    }
  });
}

/** The gradient of the loss sum over the batch size, by central differences. */
function slowGradient(
  definition: ModelDefinition,
  inputs: Values,
  label: Float32Array,
  name: string,
): number[] {
  const values = present(inputs[name], name);
  return Array.from(values, (value, i) => {
    const loss = (change: number): number => {
      const changed = Float64Array.from(values);
      changed[i] = value + change;
      // The oracle reads numbers; that these are float64 keeps the difference exact enough.
      const all = { ...inputs, [name]: changed as unknown as Float32Array };
      return slowLossSum(definition, all, label);
    };
    return (loss(1e-5) - loss(-1e-5)) / 2e-5 / definition.training.batchSize;
  });
}

function near(
  actual: Float32Array | undefined,
  expected: ArrayLike<number>,
  tolerance: number,
): void {
  assert.equal(actual?.length, expected.length);
  Array.from(expected).forEach((wanted, i) => {
    assert.ok(
      Math.abs((actual?.[i] ?? NaN) - wanted) <= tolerance,
      `${actual?.[i]} is not ${wanted}`,
    );
  });
}

test("first values depend on the seed and the name alone, with the spread of their layer", () => {
  const definition = tinyModel({ kind: "wide-and-deep", dimension: 64, hidden: [100, 50] });
  const first = denseParameters(definition);
  assert.deepEqual(denseParameters(definition), first);
  const [weights, bias] = first;
  assert.deepEqual([weights?.name, weights?.shape], ["deep0_weights", [130, 100]]);
  const values = present(weights, "weights").initial;
  const variance = values.reduce((sum, x) => sum + x * x, 0) / values.length;
  assert.ok(Math.abs(variance / (2 / 130) - 1) < 0.05, `${variance}`);
  assert.ok(present(bias, "bias").initial.every((x) => x === 0));
  const reseeded = { ...definition, training: { ...definition.training, seed: 12 } };
  assert.notDeepEqual(denseParameters(reseeded)[0]?.initial, values);
});
