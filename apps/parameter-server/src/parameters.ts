import { createDense, createTable, type DenseVector, type ParameterTable } from "@heddle/kernels";
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
