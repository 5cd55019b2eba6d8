import { present } from "@heddle/base";
import { sumGradients, uniqueIds } from "@heddle/kernels";
import type { RowGradients } from "../shard.ts";

/** What a push brings: the gradients of one micro-batch, and what else it tells. */
export interface StepPart {
  readonly microBatch: number;
  readonly tables: readonly RowGradients[];
  /** Of all dense parameters of the shard in order of declaration. */
  readonly dense: Float32Array;
  /** Sum of its examples' log losses. */
  readonly lossSum: number;
  /** CPU seconds that a learner other than the leader spent since it last said so. */
  readonly learnerCpuSeconds: number;
}

/** The gradients of a step. */
export type StepGradients = Pick<StepPart, "tables" | "dense">;

/**
 * The gradients of a step from those of its micro-batches: sums by row and by dense value, in float32, in the order of the micro-batches.
 * One micro-batch is its step as it stands.
 *
 * @param parts at least one; all of the same tables.
 */
export function joinParts(parts: readonly StepPart[]): StepGradients {
  const first = present(parts[0], "the first micro-batch of a step");
  if (parts.length === 1) return first;
  return {
    tables: first.tables.map(({ table }) => joinRows(table, parts)),
    dense: joinDense(parts.map(({ dense }) => dense)),
  };
}

function joinRows(table: string, parts: readonly StepPart[]): RowGradients {
  const own = parts.flatMap(({ tables }) => tables.filter((rows) => rows.table === table));
  const ids = new BigUint64Array(own.reduce((sum, part) => sum + part.ids.length, 0));
  const all = new Float32Array(own.reduce((sum, part) => sum + part.gradients.length, 0));
  let [id, value] = [0, 0];
  for (const part of own) {
    ids.set(part.ids, id);
    all.set(part.gradients, value);
    id += part.ids.length;
    value += part.gradients.length;
  }
  if (ids.length === 0) return { table, ids, gradients: all };
  const { unique, index } = uniqueIds(ids);
  const dimension = all.length / ids.length;
  const gradients = new Float32Array(unique.length * dimension);
  sumGradients(all, dimension, index, unique.length, gradients);
  return { table, ids: unique, gradients };
}

function joinDense(parts: readonly Float32Array[]): Float32Array {
  const sums = Float32Array.from(parts[0] ?? []);
  for (const part of parts.slice(1)) {
    for (let i = 0; i < sums.length; i++) sums[i] = (sums[i] as number) + (part[i] as number);
  }
  return sums;
}
