import { HeddleError } from "@heddle/base";
import {
  checkGradients,
  checkLength,
  createDense,
  createTable,
  type DenseVector,
  type ParameterTable,
} from "@heddle/kernels";
import type { Declaration } from "./shard.ts";

/** Adagrad divides by √accumulator + this; TensorFlow's default. */
const adagradEpsilon = 1e-7;

export function freshTables({ tables }: Declaration, rowsMax: number): Map<string, ParameterTable> {
  return new Map(
    tables.map(
      ({ name, dimension, rate, initialAccumulator, initialDeviation, seed, versions = false }) => {
        const optimizer = {
          kind: "adagrad",
          rate,
          initialAccumulator,
          epsilon: adagradEpsilon,
        } as const;
        return [
          name,
          createTable({ dimension, optimizer, initialDeviation, seed, rowsMax, versions }),
        ];
      },
    ),
  );
}

export function freshDense({ dense }: Declaration): Map<string, DenseVector> {
  return new Map(
    dense.map(({ name, initial, rate, initialAccumulator }) => [
      name,
      createDense(initial, { kind: "adagrad", rate, initialAccumulator, epsilon: adagradEpsilon }),
    ]),
  );
}

/** All that a table's push could refuse, asked beforehand: a push over several tables is applied whole or not at all. */
export function checkRows(
  table: ParameterTable,
  name: string,
  ids: BigUint64Array,
  gradients: Float32Array,
): void {
  const { dimension, rowsMax } = table.spec;
  checkLength(gradients.length, ids.length * dimension, `the gradients of table ${name}`);
  checkGradients(gradients, `table ${name}`);
  // How many ids are new is known only by looking each up, so the last push before the limit counts all of its ids.
  if (table.rows + ids.length > rowsMax) {
    throw new HeddleError(
      "RESOURCE_EXHAUSTED",
      "TABLE_FULL",
      `table ${name} holds ${table.rows} of at most ${rowsMax} rows and ${ids.length} more may come; nothing was applied: use more shards, or hash its inputs into fewer ids`,
      { metadata: { table: name, rowsMax: String(rowsMax) } },
    );
  }
  table.makeRoom(ids);
}
