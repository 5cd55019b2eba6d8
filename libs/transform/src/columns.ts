import type { Dictionary } from "./dictionary.ts";

/** A numeric column; a row whose `valid` is 0 is null (its value is then 0). Timestamps are milliseconds since the epoch. */
export interface NumberColumn {
  readonly type: "int64" | "float64" | "timestamp" | "boolean";
  /** shape [rows]. */
  readonly values: Float64Array;
  /** shape [rows], 1 or 0; absent when no row is null. */
  readonly valid?: Uint8Array;
}

/** A dictionary-coded column; code −1 is null. */
export interface CategoryColumn {
  readonly type: "category";
  /** Distinct values as text; codes index it. */
  readonly dictionary: Dictionary;
  /** shape [rows]. */
  readonly codes: Int32Array;
}

export type Column = NumberColumn | CategoryColumn;

/** Rows of raw feature values: a piece of a dataset, or one request. */
export interface ColumnBatch {
  readonly rows: number;
  /** The moment each row is seen from, milliseconds since the epoch, shape [rows]. */
  readonly exampleTimeMs: Float64Array;
  readonly features: Readonly<Record<string, Column>>;
}

/** Rows of a dataset: features, and what training and evaluation need beside them. */
export interface ExampleBatch extends ColumnBatch {
  /** 0 or 1, shape [rows]. */
  readonly label: Float32Array;
  /** How many rows this one stands for, shape [rows]. */
  readonly weight: Float32Array;
  /** Group of the row (the visit), a number unique within the partition, shape [rows]. */
  readonly visit: Int32Array;
}
