import { present } from "@heddle/base";
import type { Executor, TensorData } from "@heddle/executor";
import { predictStep, termsOf, widthsOf } from "@heddle/model";
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
  const tables = termsOf(definition).map(({ table }) => table);
  const rowWidth = 1 + definition.architecture.dimension;
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
          const place = (batch.index[row * fields + field] as number) * rowWidth;
          for (const [n, table] of tables.entries()) {
            const values = present(rows[table], "pulled rows");
            // The first wide weight has a place of its own.
            if (n === 0) wide[row * fields + field] = values[place] as number;
            const part = values.subarray(place + (n === 0 ? 1 : 0), place + rowWidth);
            joined.set(part, at);
            at += part.length;
          }
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
