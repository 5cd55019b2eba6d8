import { createDense, createTable, type DenseVector, type ParameterTable } from "@heddle/kernels";
import type { Declaration } from "./run/declaration.ts";

export function freshTables({ tables }: Declaration, rowsMax: number): Map<string, ParameterTable> {
  return new Map(tables.map(({ name, ...spec }) => [name, createTable({ ...spec, rowsMax })]));
}

export function freshDense({ dense }: Declaration): Map<string, DenseVector> {
  return new Map(
    dense.map(({ name, initial, optimizer }) => [name, createDense(initial, optimizer)]),
  );
}
