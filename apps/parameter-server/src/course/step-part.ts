import { openScratch, present } from "@heddle/base";
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
type StepGradients = Pick<StepPart, "tables" | "dense">;

/**
 * Joins gradients of micro-batches to those of their step: sums by row and by dense value, in float32, in the order of the micro-batches. One
 * micro-batch is its step as it stands.
 *
 * @param parts at least one; all of the same tables.
 * @returns they lie in memory that is used again by the next call.
 */
type Join = (parts: readonly StepPart[]) => StepGradients;

export function openJoin(): Join {
  const tables = new Map<string, (own: readonly RowGradients[]) => RowGradients>();
  const joinDense = denseJoin();
  return (parts) => {
    const first = present(parts[0], "the first micro-batch of a step");
    if (parts.length === 1) return first;
    const joinTable = ({ table }: RowGradients): RowGradients => {
      const join = tables.get(table) ?? rowJoin();
      tables.set(table, join);
      return join(parts.flatMap((part) => part.tables.filter((rows) => rows.table === table)));
    };
    return {
      tables: first.tables.map(joinTable),
      dense: joinDense(parts.map(({ dense }) => dense)),
    };
  };
}

/** Sums rows of one table. */
function rowJoin() {
  const ids = openScratch((length) => new BigUint64Array(length));
  const bigUint64 = openScratch((length) => new BigUint64Array(length));
  const int32 = openScratch((length) => new Int32Array(length));
  const sums = openScratch((length) => new Float32Array(length));
  return (own: readonly RowGradients[]): RowGradients => {
    const { table } = present(own[0], "a table of a step");
    const all = ids(own.reduce((sum, part) => sum + part.ids.length, 0));
    let at = 0;
    for (const part of own) {
      all.set(part.ids, at);
      at += part.ids.length;
    }
    if (all.length === 0) return { table, ids: all, gradients: new Float32Array() };
    const values = own.map((part) => part.gradients);
    const dimension = values.reduce((sum, part) => sum + part.length, 0) / all.length;
    const { unique, index } = uniqueIds(all, { int32, bigUint64 });
    const gradients = sums(unique.length * dimension);
    sumGradients(values, dimension, index, unique.length, gradients);
    return { table, ids: unique, gradients };
  };
}

function denseJoin() {
  const memory = openScratch((length) => new Float32Array(length));
  return (parts: readonly Float32Array[]): Float32Array => {
    const [first = new Float32Array(), ...others] = parts;
    const sums = memory(first.length);
    sums.set(first);
    for (const part of others) {
      for (let i = 0; i < sums.length; i++) sums[i] = (sums[i] as number) + (part[i] as number);
    }
    return sums;
  };
}
