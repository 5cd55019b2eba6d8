import { present } from "@heddle/base";
import {
  type Column,
  type ColumnBatch,
  type ExampleBatch,
  type NumberColumn,
  textAt,
} from "@heddle/transform";
import { trainingOrder } from "./order.ts";
import type { ExampleReader, TrainingPartition } from "./reader.ts";

/** Rows whose scores a version carries, so that whoever loads it can tell that it computes the same. */
const goldenRowsMax = 16;

/**
 * The golden rows of a dataset: the first ones that training takes of its last partition, in the dataset's order.
 *
 * @param features those the model reads.
 */
export async function goldenRows(
  reader: ExampleReader,
  partitions: readonly TrainingPartition[],
  features: readonly string[],
  seed: number,
  signal: AbortSignal,
): Promise<ColumnBatch> {
  const last = present(partitions.at(-1), "the last partition");
  const wanted = trainingOrder(last.partition, last.rows, seed).slice(0, goldenRowsMax).sort();
  const pieces: ColumnBatch[] = [];
  let from = 0;
  for await (const batch of reader.read(last, features)) {
    signal.throwIfAborted();
    const here = [...wanted].filter((row) => row >= from && row < from + batch.rows);
    if (here.length > 0)
      pieces.push(
        pick(
          batch,
          here.map((row) => row - from),
          features,
        ),
      );
    from += batch.rows;
  }
  return joined(pieces, features);
}

function pick(
  batch: ExampleBatch,
  rows: readonly number[],
  features: readonly string[],
): ColumnBatch {
  const take = (values: ArrayLike<number>): number[] => rows.map((row) => values[row] as number);
  const column = (name: string): Column => {
    const of = present(batch.features[name], `feature ${name}`);
    if (of.type === "category") return { ...of, codes: Int32Array.from(take(of.codes)) };
    const values = Float64Array.from(take(of.values));
    return {
      type: of.type,
      values,
      ...(of.valid ? { valid: Uint8Array.from(take(of.valid)) } : {}),
    };
  };
  return {
    rows: rows.length,
    exampleTimeMs: Float64Array.from(take(batch.exampleTimeMs)),
    features: Object.fromEntries(features.map((name) => [name, column(name)])),
  };
}

/** The pieces as one batch, in the one form that does not depend on how the reader cut them. */
function joined(pieces: readonly ColumnBatch[], features: readonly string[]): ColumnBatch {
  return {
    rows: pieces.reduce((sum, { rows }) => sum + rows, 0),
    exampleTimeMs: Float64Array.from(pieces.flatMap((piece) => [...piece.exampleTimeMs])),
    features: Object.fromEntries(
      features.map((name) => [
        name,
        joinColumns(pieces.map((piece) => present(piece.features[name], `feature ${name}`))),
      ]),
    ),
  };
}

function joinColumns(columns: readonly Column[]): Column {
  const numbers = columns.filter((column): column is NumberColumn => column.type !== "category");
  const [first] = numbers;
  if (first !== undefined) {
    const valid = numbers.flatMap(({ values, valid: v }) =>
      v ? [...v] : [...values].map(() => 1),
    );
    return {
      type: first.type,
      values: Float64Array.from(numbers.flatMap(({ values }) => [...values])),
      ...(valid.includes(0) ? { valid: Uint8Array.from(valid) } : {}),
    };
  }
  const texts = columns.flatMap((column) =>
    column.type === "category"
      ? [...column.codes].map((code) => textAt(column.dictionary, code))
      : [],
  );
  const dictionary = [...new Set(texts.filter((text) => text !== undefined))].sort();
  return {
    type: "category",
    dictionary,
    codes: Int32Array.from(texts, (t) => (t === undefined ? -1 : dictionary.indexOf(t))),
  };
}
