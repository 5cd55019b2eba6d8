import { seededRandom } from "@heddle/base";
import type { ModelDefinition } from "@heddle/sdk";
import type { Start } from "@heddle/sdk/architecture";
import { networkOf } from "./architecture.ts";

/** A dense parameter as training starts with it. */
export interface DenseParameter {
  /** Unique in the model; also the name of the steps' input. */
  readonly name: string;
  readonly shape: readonly number[];
  /** First values, row-major: a pure function of the definition. */
  readonly initial: Float32Array;
  /** Learning rate and first accumulator of Adagrad. */
  readonly rate: number;
  readonly initialAccumulator: number;
}

/** The one table of a model. Column 0 of a row is the wide weight, the others are the embedding. */
export interface EmbeddingTable {
  readonly name: string;
  /** float32 values a row: 1 + the architecture's dimension. */
  readonly dimension: number;
  readonly rate: number;
  readonly initialAccumulator: number;
  readonly initialDeviation: number;
  readonly seed: number;
}

export function embeddingTable({ architecture, training }: ModelDefinition): EmbeddingTable {
  return {
    name: "embeddings",
    dimension: 1 + architecture.dimension,
    rate: training.optimizer.embeddingRate,
    initialAccumulator: training.optimizer.initialAccumulator,
    initialDeviation: training.embeddingDeviation,
    seed: training.seed,
  };
}

/**
 * The dense parameters of a model, in the order in which its architecture declares them.
 *
 * Layers before a ReLU start as He et al. 2015 (normal, variance 2 / inputs), other matrices as Glorot and Bengio 2010 (normal,
 * variance 2 / (inputs + outputs)), biases at zero.
 */
export function denseParameters(definition: ModelDefinition): readonly DenseParameter[] {
  const { seed, optimizer } = definition.training;
  return networkOf(definition).parameters.map(([name, { shape, start, rate }]) => ({
    name,
    shape,
    initial: draw(name, shape, start, seed),
    rate: rate ?? optimizer.denseRate,
    initialAccumulator: optimizer.initialAccumulator,
  }));
}

/** Names and shapes of the dense parameters, in order. */
export function shapesOf(
  definition: ModelDefinition,
): readonly (readonly [name: string, shape: readonly number[]])[] {
  return networkOf(definition).parameters.map(([name, { shape }]) => [name, shape]);
}

function draw(name: string, shape: readonly number[], start: Start, seed: number): Float32Array {
  const outputs = shape.length > 1 ? (shape.at(-1) ?? 1) : 1;
  const size = shape.reduce((product, side) => product * side, 1);
  const values = new Float32Array(size);
  if (start === "zeros") return values;
  if (start === "ones") return values.fill(1);
  const random = seededRandom(seed).split(name);
  const inputs = size / outputs;
  const deviation =
    typeof start === "object"
      ? start.normal
      : Math.sqrt(2 / (start === "he" ? inputs : inputs + outputs));
  return values.map(() => deviation * random.normal());
}
