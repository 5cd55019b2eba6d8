import { present } from "@heddle/base";
import type { CompiledStep, Executor, Precision, StepSpec, TensorData } from "@heddle/executor";
import { openExampleRows } from "@heddle/kernels";
import { isFrozen, termsOf, trainStep } from "@heddle/model";
import type { ModelDefinition } from "@heddle/sdk";
import type { TrainingBatch } from "./data/rows.ts";
import type { Gradients, Pulled } from "./wire/wire.ts";
import { type Parameters, parametersOf } from "./parameters.ts";

/** What a step gives. */
export interface StepResult {
  /** Mean log loss of the batch, before the step. */
  readonly loss: number;
  readonly gradients: Gradients;
  /** Gives the gradients' memory back, where it is used again; they are not read after that. */
  readonly release?: () => void;
}

/** What the training loop knows of a model: what it keeps on the shards, and one step of it. */
export interface Network extends Parameters {
  /** The same bytes for the same arguments: that is what makes `exact` exact. */
  step(batch: TrainingBatch, pulled: Pulled): Promise<StepResult>;
}

/** The part of a batch that a step computes with. */
export type StepBatch = Pick<
  TrainingBatch,
  "at" | "microBatch" | "rows" | "numeric" | "index" | "label" | "weight"
>;

/** What a model's steps run as. */
export interface StepRuns {
  /** `onnx 1.30.0 (graph)`, or an executor that runs them op by op, and what became of the precision asked for. */
  readonly stepExecutor: string;
  /** Why op by op; empty when as a graph. */
  readonly fallbackReason: string;
}

/** A network without memory of its own for what it gives. */
export interface StepRunner extends AsyncDisposable {
  /**
   * Rows of equal ids are spread over the examples here; their gradients are summed in row order.
   *
   * @param into the gradients, of the shapes of `pulled`: each value is written.
   * @returns the loss.
   */
  run(batch: StepBatch, pulled: Pulled, into: Gradients): Promise<number>;
  runs(): StepRuns;
}

/** Compiles a definition's step. */
export async function openStep(
  definition: ModelDefinition,
  executor: Executor,
): Promise<StepRunner> {
  const { step, spec } = trainStep(definition);
  const { precision = "float32" } = definition.training;
  const compiled = await executor.compile(step, { ...spec, precision });
  const hasNumeric = spec.inputs["numeric"] !== undefined;
  const hasWeight = spec.inputs["weight"] !== undefined;
  const tables = openSpreads(definition, spec);
  // Dense parameters are inputs of the step by their names.
  const frozen = Object.keys(spec.inputs).filter((name) => isFrozen(definition, name));

  return {
    run: async ({ at, microBatch = 0, rows, numeric, label, weight, index }, pulled, into) => {
      const inputs: Record<string, TensorData> = { ...pulled.dense, label };
      const places: Record<string, Float32Array> = {};
      for (const [name, values] of Object.entries(into.dense)) places[`grad_${name}`] = values;
      if (hasNumeric) inputs["numeric"] = numeric;
      if (hasWeight) inputs["weight"] = weight;
      for (const { table, input, spread } of tables) {
        const { rows: embedded, gradients } = spread(pulled.rows[table], index);
        inputs[input] = embedded;
        places[`grad_${input}`] = gradients;
      }
      // Where a batch lies in the data names its random numbers, whoever computes it and however often.
      const seed = [definition.training.seed, at.partition, at.batch, microBatch];
      const { loss } = await compiled.run(inputs, rows, { seed, into: places });
      for (const { table, sum } of tables) sum(into.rows[table]);
      for (const name of frozen) into.dense[name]?.fill(0);
      return present(loss?.[0], "the loss");
    },
    runs: () => ({
      stepExecutor: `${compiled.description}${precisionNote(compiled, precision)}`,
      fallbackReason: compiled.fallbackReason ?? "",
    }),
    [Symbol.asyncDispose]: () => compiled[Symbol.asyncDispose](),
  };
}

/** A table's rows and their gradients, spread over examples. */
interface Spread {
  readonly table: string;
  /** The step's input of its rows. */
  readonly input: string;
  /** As that of `ExampleRows`: what it gives holds until the next step, for a step is over before the next one begins. */
  spread(
    rows: Float32Array | undefined,
    index: Int32Array,
  ): { readonly rows: Float32Array; readonly gradients: Float32Array };
  /** Sums the gradients that the step wrote, by row. */
  sum(into: Float32Array | undefined): void;
}

/** For each table that the step reads. */
function openSpreads(definition: ModelDefinition, { inputs }: StepSpec): readonly Spread[] {
  const read = termsOf(definition).filter(({ embedded }) => inputs[embedded] !== undefined);
  const dimension = 1 + definition.architecture.dimension;
  return read.map(({ table, embedded: input }) => {
    const frozen = isFrozen(definition, table);
    const examples = openExampleRows(dimension);
    return {
      ...{ table, input },
      spread: (pulled, index) => examples.spread(present(pulled, "pulled rows"), index),
      sum: (into) => {
        const summed = present(into, "memory for a table's gradients");
        if (frozen) summed.fill(0);
        else examples.sum(summed);
      },
    };
  });
}

/** What became of the precision that the definition asks for; nothing where it asks for none. */
function precisionNote({ precisionReason }: CompiledStep, precision: Precision): string {
  if (precisionReason !== undefined) return `; products in float32: ${precisionReason}`;
  return precision === "float32" ? "" : `; products in ${precision}`;
}

/** The network of a definition on an executor of this thread. */
export async function openNetwork(
  definition: ModelDefinition,
  executor: Executor,
): Promise<Network & Pick<StepRunner, "runs"> & AsyncDisposable> {
  const step = await openStep(definition, executor);
  return {
    ...parametersOf(definition),
    step: async (batch, pulled) => {
      const gradients = gradientsLike(pulled, (length) => new Float32Array(length));
      return { loss: await step.run(batch, pulled, gradients), gradients };
    },
    runs: () => step.runs(),
    [Symbol.asyncDispose]: () => step[Symbol.asyncDispose](),
  };
}

/** Memory for the gradients of what was pulled. */
export function gradientsLike(
  { rows, dense }: Pulled,
  memory: (length: number) => Float32Array,
): Gradients {
  const like = (arrays: Pulled["rows"]): Record<string, Float32Array> =>
    Object.fromEntries(Object.entries(arrays).map(([name, a]) => [name, memory(a.length)]));
  return { rows: like(rows), dense: like(dense) };
}
