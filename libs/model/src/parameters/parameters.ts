import { hash32, seededRandom } from "@heddle/base";
import type { Admission, Expiry, Optimizer, TableOptimizer, ValueStorage } from "@heddle/kernels";
import type { ModelDefinition } from "@heddle/sdk";
import type { ParameterSpec, Start } from "@heddle/sdk/architecture";
import { networkOf } from "../network/architecture.ts";
import { frozenRule, isFrozen } from "./frozen.ts";
import { denseOptimizer, rowOptimizer } from "./optimizers.ts";
import { type Term, termsOf } from "../network/terms.ts";

/** A dense parameter as training starts with it. */
export interface DenseParameter {
  /** Unique in the model; also the name of the steps' input. */
  readonly name: string;
  readonly shape: readonly number[];
  /** First values, row-major: a pure function of the definition. */
  readonly initial: Float32Array;
  readonly optimizer: Optimizer;
}

/** A table of a model, one for each of its terms. Column 0 of a row is the wide weight, the others are the embedding. */
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
  /** When rows end; never when absent. */
  readonly expiry?: Expiry;
  /** How its rows, and their gradients, travel; float32 when absent. */
  readonly wire?: "float32" | "bfloat16" | "int8";
}

/** In the order of the terms. */
export function embeddingTables(definition: ModelDefinition): readonly EmbeddingTable[] {
  const { architecture, training } = definition;
  const { expiry, ...rows } = training.rows ?? {};
  return termsOf(definition).map((term) => {
    const frozen = isFrozen(definition, term.table);
    return {
      name: term.table,
      dimension: 1 + architecture.dimension,
      optimizer: frozen ? frozenRule : rowOptimizer(term),
      initialDeviation: training.embeddingDeviation,
      // A row is drawn by its table's seed: two models that begin alike would be one.
      seed: term.prefix === "" ? training.seed : hash32(term.prefix, training.seed),
      ...rows,
      // Rows that were taken over to stay as they are stay, however seldom they are seen.
      ...(expiry && !frozen && { expiry }),
    };
  });
}

/**
 * The dense parameters of a model, in the order in which its architecture declares them, term by term.
 *
 * Layers before a ReLU start as He et al. 2015 (normal, variance 2 / inputs), other matrices as Glorot and Bengio 2010 (normal,
 * variance 2 / (inputs + outputs)), biases at zero.
 */
export function denseParameters(definition: ModelDefinition): readonly DenseParameter[] {
  const { seed } = definition.training;
  return parametersOf(definition).map(({ name, spec, term }) => ({
    name,
    shape: spec.shape,
    initial: draw(name, spec, seed),
    optimizer: isFrozen(definition, name) ? frozenRule : optimizerOf(spec, term),
  }));
}

/** Names and shapes of the dense parameters, in order. */
export function shapesOf(
  definition: ModelDefinition,
): readonly (readonly [name: string, shape: readonly number[]])[] {
  return parametersOf(definition).map(({ name, spec }) => [name, spec.shape]);
}

interface TermParameter {
  readonly name: string;
  readonly spec: ParameterSpec;
  readonly term: Term;
}

function parametersOf(definition: ModelDefinition): readonly TermParameter[] {
  const { terms, parameters } = networkOf(definition);
  return terms.flatMap((term) =>
    parameters.map(([name, spec]) => ({ name: `${term.prefix}${name}`, spec, term })),
  );
}

/** A moving parameter p goes to an update u by the gradient p − u: p − (1 − momentum) (p − u). */
function optimizerOf({ moving, optimizer }: ParameterSpec, term: Term): Optimizer {
  if (moving !== undefined) return { kind: "sgd", rate: 1 - moving.momentum };
  return denseOptimizer(term, optimizer);
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
