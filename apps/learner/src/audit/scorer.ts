import { present } from "@heddle/base";
import type { Executor, TensorData } from "@heddle/executor";
import { embeddingTable, predictStep, widthsOf } from "@heddle/model";
import type { ModelDefinition } from "@heddle/sdk";
import type { TrainingBatch } from "../data/rows.ts";
import type { Pulled } from "../wire/wire.ts";

/** Scores batches with parameters as they are. */
export interface Scorer extends AsyncDisposable {
  /** @returns probabilities before prior correction, shape [rows]. */
  score(batch: TrainingBatch, pulled: Pulled): Promise<Float32Array>;
}

export async function openHeldOutScorer(
  definition: ModelDefinition,
  executor: Executor,
): Promise<Scorer> {
  const { step, spec } = predictStep(definition);
  const compiled = await executor.compile(step, spec);
  const { numeric, fields, dimension, joined: width } = widthsOf(definition);
  const { name } = embeddingTable(definition);
  const hasNumeric = width > fields * dimension;
  return {
    score: async (batch, { rows, dense }) => {
      const joined = new Float32Array(batch.rows * width);
      const wide = new Float32Array(batch.rows * fields);
      for (let row = 0; row < batch.rows; row++) {
        let at = row * width;
        if (hasNumeric) {
          joined.set(batch.numeric.subarray(row * numeric, (row + 1) * numeric), at);
          at += numeric;
        }
        for (let field = 0; field < fields; field++) {
          const place = (batch.index[row * fields + field] as number) * (1 + dimension);
          const values = present(rows[name], "pulled rows");
          wide[row * fields + field] = values[place] as number;
          joined.set(values.subarray(place + 1, place + 1 + dimension), at);
          at += dimension;
        }
      }
      const inputs: Record<string, TensorData> = { ...dense, joined };
      if (spec.inputs["wide"] !== undefined) inputs["wide"] = wide;
      const { predictions } = await compiled.run(inputs, batch.rows);
      return present(predictions, "predictions");
    },
    [Symbol.asyncDispose]: () => compiled[Symbol.asyncDispose](),
  };
}
