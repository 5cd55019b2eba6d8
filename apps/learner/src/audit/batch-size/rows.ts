import { uniqueIds } from "@heddle/kernels";
import type { Batches } from "../../data/batches.ts";
import { batchesOf, type TrainingBatch } from "../../data/rows.ts";

/** Rows of a partition in the order in which training takes them: a part of it, transformed. */
export interface OrderedRows {
  /** Index and value of the partition. */
  readonly index: number;
  readonly partition: string;
  readonly rows: number;
  /** shape [rows, numeric inputs]. */
  readonly numeric: Float32Array;
  /** shape [rows, embedding inputs]. */
  readonly ids: BigUint64Array;
  /** shape [rows]. */
  readonly label: Float32Array;
  readonly weight: Float32Array;
}

/**
 * Reads rows from the first on. The order of a partition's rows does not depend on the batch size, so neither does what is read.
 *
 * @param rowsMax rows wanted; fewer where there are fewer.
 */
export async function readRows(
  source: Pick<Batches, "next">,
  rowsMax: number,
  signal: AbortSignal,
): Promise<OrderedRows[]> {
  const partitions: OrderedRows[][] = [];
  let read = 0;
  while (read < rowsMax) {
    const batch = await source.next(signal);
    if (batch === undefined) break;
    const { at, partition, rows, numeric, label, weight, index } = batch;
    const ids = BigUint64Array.from(index, (place) => batch.ids[place] as bigint);
    const all = { index: at.partition, partition, rows, numeric, ids, label, weight };
    const part = partOf(all, 0, Math.min(rows, rowsMax - read));
    (partitions[at.partition] ??= []).push(part);
    read += part.rows;
  }
  return partitions.map(joined);
}

/** The first rows of all, and those behind them. */
export function splitRows(
  parts: readonly OrderedRows[],
  first: number,
): { readonly trained: readonly OrderedRows[]; readonly heldOut: readonly OrderedRows[] } {
  let left = first;
  const split = parts.map((part): [trained: OrderedRows, heldOut: OrderedRows] => {
    const here = Math.min(left, part.rows);
    left -= here;
    return [partOf(part, 0, here), partOf(part, here, part.rows)];
  });
  const some = ({ rows }: OrderedRows): boolean => rows > 0;
  return {
    trained: split.map(([trained]) => trained).filter(some),
    heldOut: split.map(([, heldOut]) => heldOut).filter(some),
  };
}

/** The batches of a size that training makes of these rows: none goes from one partition into the next. */
export function* cutBatches(
  parts: readonly OrderedRows[],
  batchSize: number,
): Generator<TrainingBatch> {
  for (const part of parts) {
    for (let batch = 0; batch < batchesOf(part.rows, batchSize); batch++) {
      const from = batch * batchSize;
      const to = Math.min(from + batchSize, part.rows);
      const { rows, ids, numeric, label, weight } = partOf(part, from, to);
      const { unique, index } = uniqueIds(ids);
      const at = { partition: part.index, batch };
      yield {
        at,
        partition: part.partition,
        ...{ rows, numeric, ids: unique, index, label, weight },
      };
    }
  }
}

export const rowsOf = (parts: readonly { readonly rows: number }[]): number =>
  parts.reduce((sum, { rows }) => sum + rows, 0);

/** Views of some of the rows. */
function partOf(part: OrderedRows, from: number, to: number): OrderedRows {
  const { index, partition, rows, numeric, ids, label, weight } = part;
  const [numbers, fields] = [numeric.length / rows, ids.length / rows];
  return {
    ...{ index, partition, rows: to - from },
    numeric: numeric.subarray(from * numbers, to * numbers),
    ids: ids.subarray(from * fields, to * fields),
    label: label.subarray(from, to),
    weight: weight.subarray(from, to),
  };
}

function joined(parts: readonly OrderedRows[]): OrderedRows {
  const [{ index, partition } = { index: 0, partition: "" }] = parts;
  const floats = (of: (part: OrderedRows) => Float32Array): Float32Array =>
    concatenated(parts.map(of), (length) => new Float32Array(length));
  return {
    ...{ index, partition, rows: rowsOf(parts) },
    numeric: floats(({ numeric }) => numeric),
    ids: concatenated(
      parts.map(({ ids }) => ids),
      (length) => new BigUint64Array(length),
    ),
    label: floats(({ label }) => label),
    weight: floats(({ weight }) => weight),
  };
}

interface Numbers<A> {
  readonly length: number;
  set(from: A, at: number): void;
}

function concatenated<A extends Numbers<A>>(parts: readonly A[], memory: (length: number) => A): A {
  const all = memory(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
