import { HeddleError, seededRandom } from "@heddle/base";
import type { Executor, StepSpec, TensorData } from "@heddle/executor";
import type { ModelDefinition } from "@heddle/sdk";
import { denseParameters } from "../parameters/parameters.ts";
import { type ModelStep, predictStep, trainStep } from "./steps.ts";

/** How a model's training step will run here. */
export interface CheckedModel {
  /** `onnx 1.30.0 (graph)`, or an executor that runs it op by op. */
  readonly description: string;
  /** Why it runs op by op; absent when it runs as a graph. */
  readonly fallbackReason?: string;
}

const checkedRows = 32;

/**
 * Runs a definition's network once, to train and to predict, on random rows and the parameters that training starts with, so
 * that what cannot work is refused before a dataset is built for it.
 *
 * @throws {HeddleError} INVALID_ARGUMENT MODULE_BROKEN, ARCHITECTURE_INVALID; STEP_FAILED when `build` throws or gives other shapes
 *   than it should; ARCHITECTURE_NOT_FINITE.
 */
export async function checkModel(
  definition: ModelDefinition,
  executor: Executor,
): Promise<CheckedModel> {
  const first = Object.fromEntries(
    denseParameters(definition).map(({ name, initial }) => [name, initial]),
  );
  const trained = await runOnce(definition, trainStep(definition), first, executor);
  const predicted = await runOnce(definition, predictStep(definition), first, executor);
  const { description } = trained;
  const fallbackReason = trained.fallbackReason ?? predicted.fallbackReason;
  return fallbackReason === undefined ? { description } : { description, fallbackReason };
}

async function runOnce(
  { name, training }: ModelDefinition,
  { step, spec }: ModelStep,
  first: Readonly<Record<string, Float32Array>>,
  executor: Executor,
): Promise<CheckedModel> {
  await using compiled = await executor.compile(step, spec);
  // Who predicts gives no seed: there, random operations are refused.
  const options = spec.inputs["label"] === undefined ? {} : { seed: [training.seed, 0, 0] };
  const outputs = await compiled.run({ ...rowsFor(spec), ...first }, checkedRows, options);
  for (const [output, values] of Object.entries(outputs)) {
    const probabilities = output === "predictions";
    const wrong = values.find((x) => !Number.isFinite(x) || (probabilities && (x < 0 || x > 1)));
    if (wrong === undefined) continue;
    throw new HeddleError(
      "INVALID_ARGUMENT",
      "ARCHITECTURE_NOT_FINITE",
      `step "${spec.name}" gives ${wrong} in its output ${output} on ${checkedRows} random rows, before anything was learnt: ${probabilities ? "predictions are probabilities, from 0 to 1" : "look for logarithms, roots and quotients of numbers near 0"}`,
      { metadata: { model: name, output } },
    );
  }
  const { description, fallbackReason } = compiled;
  return fallbackReason === undefined ? { description } : { description, fallbackReason };
}

/** Rows like those of a training: standard normal numbers, small embeddings, labels 0 and 1. */
function rowsFor({ inputs }: StepSpec): Record<string, TensorData> {
  const drawn = Object.entries(inputs).map(([name, { shape }]): [string, Float32Array] => {
    const random = seededRandom(1).split(name);
    const length = shape.reduce<number>(
      (size, side) => size * (side === "rows" ? checkedRows : side),
      1,
    );
    const draw = (): number => {
      if (name === "label") return random.below(2);
      if (name === "weight") return 1;
      return random.normal() * (name === "numeric" ? 1 : 0.05);
    };
    return [name, Float32Array.from({ length }, draw)];
  });
  return Object.fromEntries(drawn);
}
