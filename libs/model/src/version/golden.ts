import { type Column, type ColumnBatch, textAt } from "@heddle/transform";

/** A feature's values as JSON; null is null. */
interface GoldenColumn {
  readonly type: Column["type"];
  readonly values: readonly (number | string | null)[];
}

/** Golden inputs as JSON, and what the model answered when it was written. */
export interface Golden {
  readonly exampleTimeMs: readonly number[];
  readonly features: Readonly<Record<string, GoldenColumn>>;
  /** Scores after prior correction, float32. */
  readonly outputs: readonly number[];
}

/** Golden inputs a version carries at most. */
const goldenRowsMax = 16;

/** The first rows of a batch, with those of its features that a model reads. */
export function firstRows(batch: ColumnBatch, features: readonly string[]): ColumnBatch {
  const rows = Math.min(batch.rows, goldenRowsMax);
  const read = Object.entries(batch.features).filter(([name]) => features.includes(name));
  return {
    rows,
    exampleTimeMs: batch.exampleTimeMs.slice(0, rows),
    features: Object.fromEntries(read.map(([name, column]) => [name, firstValues(column, rows)])),
  };
}

function firstValues(column: Column, rows: number): Column {
  if (column.type === "category") return { ...column, codes: column.codes.slice(0, rows) };
  const { type, values, valid } = column;
  const first = values.slice(0, rows);
  return valid === undefined
    ? { type, values: first }
    : { type, values: first, valid: valid.slice(0, rows) };
}

/** Rows and their scores as JSON. */
export function encodeGolden(batch: ColumnBatch, outputs: Float32Array): Golden {
  return {
    exampleTimeMs: [...batch.exampleTimeMs],
    features: Object.fromEntries(
      Object.entries(batch.features).map(([name, column]) => [name, encodeColumn(column)]),
    ),
    outputs: [...outputs],
  };
}

function encodeColumn(column: Column): GoldenColumn {
  const { type } = column;
  if (type === "category") {
    return {
      type,
      values: Array.from(column.codes, (code) => textAt(column.dictionary, code) ?? null),
    };
  }
  const { values, valid } = column;
  return { type, values: Array.from(values, (x, i) => (valid?.[i] === 0 ? null : x)) };
}

/** The rows of golden inputs. */
export function decodeGolden({ exampleTimeMs, features }: Golden): ColumnBatch {
  return {
    rows: exampleTimeMs.length,
    exampleTimeMs: Float64Array.from(exampleTimeMs),
    features: Object.fromEntries(
      Object.entries(features).map(([name, column]) => [name, decodeColumn(column)]),
    ),
  };
}

function decodeColumn({ type, values }: GoldenColumn): Column {
  if (type === "category") {
    const dictionary = [...new Set(values.filter((text) => text !== null))].map(String);
    const codes = Int32Array.from(values, (text) =>
      text === null ? -1 : dictionary.indexOf(String(text)),
    );
    return { type, dictionary, codes };
  }
  return {
    type,
    values: Float64Array.from(values, Number),
    valid: Uint8Array.from(values, (x) => (x === null ? 0 : 1)),
  };
}
