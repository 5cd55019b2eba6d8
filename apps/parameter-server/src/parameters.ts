import type { ParameterState, TableState } from "@heddle/artifact";
import { HeddleError } from "@heddle/base";
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

export function restoreTable(
  name: string,
  table: ParameterTable,
  saved: TableState | undefined,
): void {
  if (saved === undefined) throw differs(`it has no table ${name}`);
  if (saved.dimension !== table.spec.dimension) {
    throw differs(
      `its table ${name} has rows of ${saved.dimension} values, not ${table.spec.dimension}`,
    );
  }
  table.restore(saved);
}

export function restoreDense(name: string, vector: DenseVector, saved: ParameterState): void {
  const state = saved.dense[name];
  if (state === undefined) throw differs(`it has no dense parameter ${name}`);
  if (state.values.length !== vector.values.length) {
    throw differs(
      `its dense parameter ${name} has ${state.values.length} values, not ${vector.values.length}`,
    );
  }
  vector.restore(state.values, state.slots);
}

function differs(why: string): HeddleError {
  return new HeddleError(
    "FAILED_PRECONDITION",
    "SNAPSHOT_DIFFERS",
    `the snapshot is of another model shape: ${why}; warm-start from a version of the same architecture, or train without a parent`,
  );
}
