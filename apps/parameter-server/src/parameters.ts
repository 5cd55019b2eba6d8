import type { ParameterState, TableState } from "@heddle/artifact";
import { HeddleError } from "@heddle/base";
import { createDense, createTable, type DenseVector, type ParameterTable } from "@heddle/kernels";
import type { Declaration } from "./shard.ts";

export function freshTables({ tables }: Declaration, rowsMax: number): Map<string, ParameterTable> {
  return new Map(tables.map(({ name, ...spec }) => [name, createTable({ ...spec, rowsMax })]));
}

export function freshDense({ dense }: Declaration): Map<string, DenseVector> {
  return new Map(
    dense.map(({ name, initial, optimizer }) => [name, createDense(initial, optimizer)]),
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
  checkSlots(`its table ${name}`, saved.slots.length, saved.ids.length * table.slotsOfRow);
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
  checkSlots(`its dense parameter ${name}`, state.slots.length, vector.slots.length);
  vector.restore(state.values, state.slots);
}

function checkSlots(what: string, actual: number, expected: number): void {
  if (actual === expected) return;
  throw differs(`${what} has the slots of another optimiser, ${actual} and not ${expected}`);
}

function differs(why: string): HeddleError {
  return new HeddleError(
    "FAILED_PRECONDITION",
    "SNAPSHOT_DIFFERS",
    `the snapshot is of another model shape: ${why}; warm-start from a version of the same architecture, or train without a parent`,
  );
}
