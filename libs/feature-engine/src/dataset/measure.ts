import type { Filter, Slice } from "@heddle/sdk";
import { type Column, type Dictionary, type ExampleBatch, textsOf } from "@heddle/transform";
import type { Duckdb } from "../duckdb/duckdb.ts";
import type { DatasetColumn } from "../plan.ts";
import { readPartitionChunks } from "../partition/read.ts";
import { type ColumnHasher, columnHasher, rowHashOf } from "../partition/row-hash.ts";

export interface SliceCount {
  readonly slice: string;
  readonly rows: number;
  readonly positives: number;
}

/** What a partition holds, as its manifest says. Times are milliseconds since the epoch, 0 when it is empty. */
export interface PartitionFacts {
  readonly rowHash: string;
  readonly rows: number;
  readonly positives: number;
  readonly exampleTimeMinMs: number;
  readonly exampleTimeMaxMs: number;
  readonly slices: readonly SliceCount[];
}

/** Reads a written partition back, in order, and says what it holds: the row hash is of what readers will see. */
export async function measurePartition(
  db: Duckdb,
  path: string,
  columns: readonly DatasetColumn[],
  slices: readonly Slice[],
): Promise<PartitionFacts> {
  const hashers = new Map(columns.map(({ name }) => [name, columnHasher()]));
  const dictionaries = new Map<string, Dictionary>();
  const counter = countSlices(slices);
  let [rows, positives, first, last] = [0, 0, Infinity, -Infinity];
  for await (const batch of readPartitionChunks(path, columns, { db })) {
    rows += batch.rows;
    for (let i = 0; i < batch.rows; i++) {
      positives += batch.label[i] ?? 0;
      const time = batch.exampleTimeMs[i] ?? 0;
      if (time < first) first = time;
      if (time > last) last = time;
    }
    counter.add(batch);
    for (const [name, hasher] of hashers) feed(hasher, name, batch, dictionaries);
  }
  const digests = columns.map(({ name, type }) =>
    (hashers.get(name) as ColumnHasher).digest(
      ...([name, type, textsOf(dictionaries.get(name) ?? []), rows] as const),
    ),
  );
  return {
    rowHash: rowHashOf(digests),
    rows,
    positives,
    exampleTimeMinMs: rows === 0 ? 0 : first,
    exampleTimeMaxMs: rows === 0 ? 0 : last,
    slices: counter.counts(),
  };
}

function feed(
  hasher: ColumnHasher,
  name: string,
  batch: ExampleBatch,
  dictionaries: Map<string, Dictionary>,
): void {
  const own = {
    visit: batch.visit,
    example_time: batch.exampleTimeMs,
    label: batch.label,
    weight: batch.weight,
  };
  const example = own[name as keyof typeof own];
  if (example !== undefined) return hasher.values(example);
  const column = batch.features[name] as Column;
  if (column.type === "category") {
    dictionaries.set(name, column.dictionary);
    return hasher.values(column.codes);
  }
  hasher.values(column.values);
  if (column.valid !== undefined) hasher.validity(column.valid);
}

/** Counts rows and positives of each slice. */
function countSlices(slices: readonly Slice[]) {
  const counts = new Map<string, { rows: number; positives: number }>();
  const count = (slice: string, rows: number, positives: number): void => {
    if (rows === 0) return;
    const known = counts.get(slice) ?? { rows: 0, positives: 0 };
    counts.set(slice, { rows: known.rows + rows, positives: known.positives + positives });
  };
  return {
    add: (batch: ExampleBatch): void => {
      for (const { name, by, where } of slices) {
        if (by !== undefined) {
          countBy(batch, by, (value, ...counted) => count(`${name}=${value}`, ...counted));
          continue;
        }
        const holds = conditionOf(batch, where ?? []);
        let [rows, positives] = [0, 0];
        for (let i = 0; i < batch.rows; i++) {
          if (!holds(i)) continue;
          rows += 1;
          positives += batch.label[i] ?? 0;
        }
        count(name, rows, positives);
      }
    },
    counts: (): SliceCount[] =>
      [...counts]
        .map(([slice, c]) => ({ slice, ...c }))
        .sort((a, b) => (a.slice < b.slice ? -1 : 1)),
  };
}

/** Rows and positives of each value of a category; null is the empty text. */
function countBy(
  batch: ExampleBatch,
  by: string,
  count: (value: string, rows: number, positives: number) => void,
): void {
  const column = batch.features[by];
  if (column?.type !== "category") return;
  const { codes, dictionary } = column;
  // Code −1, which is null, counts in the first place.
  const rows = new Float64Array(dictionary.length + 1);
  const positives = new Float64Array(dictionary.length + 1);
  for (let i = 0; i < batch.rows; i++) {
    const place = (codes[i] ?? -1) + 1;
    rows[place] = (rows[place] ?? 0) + 1;
    positives[place] = (positives[place] ?? 0) + (batch.label[i] ?? 0);
  }
  const texts = textsOf(dictionary);
  rows.forEach((n, place) => count(texts[place - 1] ?? "", n, positives[place] ?? 0));
}

/**
 * Whether every condition of a filter holds for a row. A category's null is the empty text, as in
 * slices by its values; for a number's null no condition holds, except that it differs from anything.
 */
export function conditionOf(batch: ExampleBatch, where: Filter): (row: number) => boolean {
  const conditions = where.map(({ column: name, is, value }) => {
    const column = batch.features[name];
    if (column === undefined) return () => false;
    if (column.type === "category") {
      const holds = textsOf(column.dictionary).map((word) => compare(word, is, String(value)));
      const ofNull = compare("", is, String(value));
      return (row: number) => holds[column.codes[row] ?? -1] ?? ofNull;
    }
    const { values, valid } = column;
    return (row: number) =>
      valid?.[row] === 0 ? is === "!=" : compare(values[row] ?? 0, is, Number(value));
  });
  return (row) => conditions.every((holds) => holds(row));
}

function compare<T extends number | string>(a: T, is: Filter[number]["is"], b: T): boolean {
  switch (is) {
    case "=":
      return a === b;
    case "!=":
      return a !== b;
    case "<":
      return a < b;
    case "<=":
      return a <= b;
    case ">":
      return a > b;
    case ">=":
      return a >= b;
  }
}
