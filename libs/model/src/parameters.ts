import { seededRandom } from "@heddle/base";
import type { Admission, Optimizer, TableOptimizer, ValueStorage } from "@heddle/kernels";
import type { ModelDefinition } from "@heddle/sdk";
import type { ParameterSpec, Start } from "@heddle/sdk/architecture";
import { networkOf } from "./architecture.ts";
import { frozenRule, isFrozen } from "./frozen.ts";
import { denseOptimizer, rowOptimizer } from "./optimizers.ts";

/** A dense parameter as training starts with it. */
export interface DenseParameter {
  /** Unique in the model; also the name of the steps' input. */
  readonly name: string;
  readonly shape: readonly number[];
  /** First values, row-major: a pure function of the definition. */
  readonly initial: Float32Array;
  readonly optimizer: Optimizer;
}

/** The one table of a model. Column 0 of a row is the wide weight, the others are the embedding. */
export interface EmbeddingTable {
  readonly name: string;
  /** float32 values a row: 1 + the architecture's dimension. */
  readonly dimension: number;
  readonly optimizer: TableOptimizer;
  readonly initialDeviation: number;
  readonly seed: number;
  /** How its rows lie in memory; float32 when absent. */
  readonly storage?: ValueStorage;
  /** Which ids get a row; all of them when absent. */
  readonly admission?: Admission;
  /** How its rows, and their gradients, travel; float32 when absent. */
  readonly wire?: "float32" | "bfloat16" | "int8";
}

export function embeddingTable(definition: ModelDefinition): EmbeddingTable {
  const { architecture, training } = definition;
  const name = "embeddings";
  return {
    name,
    dimension: 1 + architecture.dimension,
    optimizer: isFrozen(definition, name) ? frozenRule : rowOptimizer(training),
    initialDeviation: training.embeddingDeviation,
    seed: training.seed,
    ...training.rows,
  };
}

/**
 * The dense parameters of a model, in the order in which its architecture declares them.
 *
 * Layers before a ReLU start as He et al. 2015 (normal, variance 2 / inputs), other matrices as Glorot and Bengio 2010 (normal,
 * variance 2 / (inputs + outputs)), biases at zero.
 */
export function denseParameters(definition: ModelDefinition): readonly DenseParameter[] {
  const { training } = definition;
  return networkOf(definition).parameters.map(([name, spec]) => ({
    name,
    shape: spec.shape,
    initial: draw(name, spec, training.seed),
    optimizer: isFrozen(definition, name) ? frozenRule : optimizerOf(spec, definition),
  }));
}

/** Names and shapes of the dense parameters, in order. */
export function shapesOf(
  definition: ModelDefinition,
): readonly (readonly [name: string, shape: readonly number[]])[] {
  return networkOf(definition).parameters.map(([name, { shape }]) => [name, shape]);
}

/** A moving parameter p goes to an update u by the gradient p − u: p − (1 − momentum) (p − u). */
function optimizerOf(
  { moving, optimizer }: ParameterSpec,
  { training }: ModelDefinition,
): Optimizer {
  if (moving !== undefined) return { kind: "sgd", rate: 1 - moving.momentum };
  return denseOptimizer(training, optimizer);
}

function draw(name: string, { shape, start }: ParameterSpec, seed: number): Float32Array {
  const outputs = shape.length > 1 ? (shape.at(-1) ?? 1) : 1;
  const size = shape.reduce((product, side) => product * side, 1);
  const values = new Float32Array(size);
  if (start === "zeros") return values;
  if (start === "ones") return values.fill(1);
  const random = seededRandom(seed).split(name);
  const deviation = deviationOf(start, size / outputs, outputs);
  return values.map(() => deviation * random.normal());
}

function deviationOf(
  start: Exclude<Start, "zeros" | "ones">,
  inputs: number,
  outputs: number,
): number {
  if (typeof start === "object") return start.normal;
  return Math.sqrt(2 / (start === "he" ? inputs : inputs + outputs));
}
