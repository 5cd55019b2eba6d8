import { present } from "@heddle/base";
import type { Executor, TensorData } from "@heddle/executor";
import { gatherRows, sumGradients } from "@heddle/kernels";
import {
  type DenseParameter,
  denseParameters,
  embeddingTable,
  type EmbeddingTable,
  trainStep,
} from "@heddle/model";
import type { ModelDefinition } from "@heddle/sdk";
import type { TrainingBatch } from "./rows.ts";
import type { Gradients, Pulled } from "./wire.ts";

/** What a step gives. */
export interface StepResult {
  /** Mean log loss of the batch, before the step. */
  readonly loss: number;
  readonly gradients: Gradients;
}

/** What the training loop knows of a model: what it keeps on the shards, and one step of it. */
export interface Network {
  readonly tables: readonly EmbeddingTable[];
  readonly dense: readonly Omit<DenseParameter, "shape">[];
  /** The same bytes for the same arguments: that is what makes `exact` exact. */
  step(batch: TrainingBatch, pulled: Pulled): Promise<StepResult>;
}

/**
 * The network of a definition on an executor. Rows of equal ids are pulled once and spread over the examples here; their
 * gradients are summed in row order.
 */
export async function openNetwork(
  definition: ModelDefinition,
  executor: Executor,
): Promise<Network & AsyncDisposable> {
  const { step, spec } = trainStep(definition);
  const compiled = await executor.compile(step, spec);
  const hasNumeric = spec.inputs["numeric"] !== undefined;
  const hasEmbedded = spec.inputs["embedded"] !== undefined;
  const table = embeddingTable(definition);
  const { dimension } = table;
  const dense = denseParameters(definition);

  return {
    tables: hasEmbedded ? [table] : [],
    dense,
    step: async (batch, pulled) => {
      const { rows, numeric, label, index, ids } = batch;
      const inputs: Record<string, TensorData> = { ...pulled.dense, label };
      if (hasNumeric) inputs["numeric"] = numeric;
      if (hasEmbedded) {
        const embedded = new Float32Array(index.length * dimension);
        gatherRows(present(pulled.rows[table.name], "pulled rows"), dimension, index, embedded);
        inputs["embedded"] = embedded;
      }
      // Where a batch lies in the data names its random numbers, whoever computes it and however often.
      const { partition, batch: place } = batch.at;
      const seed = [definition.training.seed, partition, place];
      const outputs = await compiled.run(inputs, rows, { seed });
      const output = (name: string): Float32Array => present(outputs[name], `output ${name}`);
      const gradients: Record<string, Float32Array> = {};
      if (hasEmbedded) {
        const summed = new Float32Array(ids.length * dimension);
        sumGradients(output("grad_embedded"), dimension, index, ids.length, summed);
        gradients[table.name] = summed;
      }
      return {
        loss: present(output("loss")[0], "the loss"),
        gradients: {
          rows: gradients,
          dense: Object.fromEntries(dense.map(({ name }) => [name, output(`grad_${name}`)])),
        },
      };
    },
    [Symbol.asyncDispose]: () => compiled[Symbol.asyncDispose](),
  };
}
