import { seededRandom } from "@heddle/base";
import type { Admission, Optimizer, TableOptimizer, ValueStorage } from "@heddle/kernels";
import type { ModelDefinition } from "@heddle/sdk";
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
}

/** How wide a model's inputs are. */
export interface Widths {
  /** Numeric inputs. */
  readonly numeric: number;
  /** Embedding inputs. */
  readonly fields: number;
  /** Values of an embedding, without the wide weight. */
  readonly dimension: number;
  /** What the first layers read: numeric inputs, then the embeddings. */
  readonly joined: number;
}

export function widthsOf({ inputs, architecture }: ModelDefinition): Widths {
  const { dimension } = architecture;
  const numeric = inputs.filter((input) => input.kind === "numeric").length;
  const fields = inputs.length - numeric;
  return { numeric, fields, dimension, joined: numeric + fields * dimension };
}

export function embeddingTable({ architecture, training }: ModelDefinition): EmbeddingTable {
  return {
    name: "embeddings",
    dimension: 1 + architecture.dimension,
    optimizer: rowOptimizer(training),
    initialDeviation: training.embeddingDeviation,
    seed: training.seed,
    ...training.rows,
  };
}

/** How the first values of a parameter are drawn. */
type Start = "zeros" | "he" | "glorot";

/**
 * The dense parameters of a model, in the order in which the steps use them.
 *
 * Layers before a ReLU start as He et al. 2015 (normal, variance 2 / inputs), other matrices as Glorot and Bengio 2010 (normal,
 * variance 2 / (inputs + outputs)), biases at zero.
 */
export function denseParameters(definition: ModelDefinition): readonly DenseParameter[] {
  const { seed } = definition.training;
  const optimizer = denseOptimizer(definition.training);
  return shapesOf(definition).map(([name, shape, start]) => ({
    name,
    shape,
    initial: draw(name, shape, start, seed),
    optimizer,
  }));
}

/** Names and shapes of the dense parameters, in order. */
export function shapesOf(
  definition: ModelDefinition,
): readonly (readonly [name: string, shape: readonly number[], start: Start])[] {
  const { architecture } = definition;
  const { joined } = widthsOf(definition);
  const sizes = [joined, ...architecture.hidden];
  const layers = architecture.hidden.flatMap((outputs, i) => [
    [`deep${i}_weights`, [sizes[i] ?? joined, outputs], "he"] as const,
    [`deep${i}_bias`, [outputs], "zeros"] as const,
  ]);
  const deepOutput = sizes[sizes.length - 1] ?? joined;
  const output = (inputs: number) =>
    [
      ["output_weights", [inputs, 1], "glorot"],
      ["output_bias", [1], "zeros"],
    ] as const;
  if (architecture.kind === "wide-and-deep") return [...layers, ...output(deepOutput)];
  const crosses = Array.from({ length: architecture.crossLayers }, (_, i) => [
    [`cross${i}_weights`, [joined, joined], "glorot"] as const,
    [`cross${i}_bias`, [joined], "zeros"] as const,
  ]).flat();
  const beside = architecture.hidden.length === 0 ? 0 : deepOutput;
  return [...crosses, ...layers, ...output(joined + beside)];
}

function draw(name: string, shape: readonly number[], start: Start, seed: number): Float32Array {
  const [inputs = 1, outputs = 1] = shape;
  const values = new Float32Array(inputs * outputs);
  if (start === "zeros") return values;
  const random = seededRandom(seed).split(name);
  const deviation = Math.sqrt(2 / (start === "he" ? inputs : inputs + outputs));
  return values.map(() => deviation * random.normal());
}
