import { present } from "@heddle/base";
import type { Batches } from "../../data/batches.ts";
import { openNumberedIds, openUniqueOfBatch } from "../../data/numbered-ids.ts";
import { concatenated } from "../concatenated.ts";
import { batchesOf, type TrainingBatch } from "../../data/rows.ts";
import { ownMemory } from "../../data/batch-memory.ts";

/** Rows of a partition in the order in which training takes them: a part of it, transformed. */
export interface OrderedRows {
  /** Index and value of the partition. */
  readonly index: number;
  readonly partition: string;
  readonly rows: number;
  /** shape [rows, numeric inputs]. */
  readonly numeric: Float32Array;
  /** Distinct ids of the partition's rows. */
  readonly ids: BigUint64Array;
  /** By embedding input: position in `ids`, shape [rows]. */
  readonly inputs: readonly Int32Array[];
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
  const partitions: TrainingBatch[][] = [];
  let read = 0;
  while (read < rowsMax) {
    const batch = await source.next(signal);
    if (batch === undefined) break;
    (partitions[batch.at.partition] ??= []).push(batch);
    read += batch.rows;
  }
  const parts = partitions.map(joined);
  // Of the last batch some rows may be too many.
  return splitRows(parts, Math.min(read, rowsMax)).trained.slice();
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
  for (const { index: partitionIndex, partition, ...part } of parts) {
    const { inputs } = part;
    const uniqueOf = openUniqueOfBatch(part.ids, inputs, Math.min(batchSize, part.rows));
    const numbers = part.numeric.length / part.rows;
    for (let batch = 0; batch < batchesOf(part.rows, batchSize); batch++) {
      const from = batch * batchSize;
      const to = Math.min(from + batchSize, part.rows);
      const index = new Int32Array((to - from) * inputs.length);
      yield {
        ...{ at: { partition: partitionIndex, batch }, partition, rows: to - from, index },
        ids: uniqueOf(from, to, index, ownMemory),
        numeric: part.numeric.subarray(from * numbers, to * numbers),
        label: part.label.subarray(from, to),
        weight: part.weight.subarray(from, to),
      };
    }
  }
}

export const rowsOf = (parts: readonly { readonly rows: number }[]): number =>
  parts.reduce((sum, { rows }) => sum + rows, 0);

/** Views of some of the rows. */
function partOf(part: OrderedRows, from: number, to: number): OrderedRows {
  const { rows, numeric, inputs, label, weight } = part;
  const numbers = numeric.length / rows;
  return {
    ...part,
    rows: to - from,
    numeric: numeric.subarray(from * numbers, to * numbers),
    inputs: inputs.map((input) => input.subarray(from, to)),
    label: label.subarray(from, to),
    weight: weight.subarray(from, to),
  };
}

/** A partition's batches as the rows that they were cut from. */
function joined(batches: readonly TrainingBatch[], index: number): OrderedRows {
  const rows = rowsOf(batches);
  const first = present(batches[0], "a batch");
  const width = first.index.length / first.rows;
  const inputs = Array.from({ length: width }, () => new Int32Array(rows));
  const numbered = openNumberedIds();
  let at = 0;
  for (const batch of batches) {
    inputs.forEach((out, input) => {
      const codes = Int32Array.from(
        { length: batch.rows },
        (_, row) => batch.index[row * width + input] as number,
      );
      numbered.write({ ids: batch.ids, codes, shared: true }, out, at);
    });
    at += batch.rows;
  }
  return {
    ...{ index, partition: first.partition, rows, inputs, ids: numbered.end() },
    numeric: concatenated(batches.map(({ numeric }) => numeric)),
    label: concatenated(batches.map(({ label }) => label)),
    weight: concatenated(batches.map(({ weight }) => weight)),
  };
}
