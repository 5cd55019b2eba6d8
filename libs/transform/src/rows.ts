import { HeddleError, type Json, utcMs } from "@heddle/base";
import type { FeatureType } from "@heddle/sdk";
import type { Column, ColumnBatch } from "./columns.ts";

/**
 * Rows of a request as columns.
 *
 * A category is a string, a number or a boolean; an int64 a safe integer; a float64 a finite number; a boolean a boolean; a
 * timestamp milliseconds since the epoch or ISO 8601 text (UTC where it names no zone). Any may be null. Keys that no feature has are not read.
 *
 * @param featureTypes the features wanted and their types.
 * @param timeMs the moment the rows are seen from, milliseconds since the epoch.
 * @throws {HeddleError} INVALID_ARGUMENT MISSING_FEATURE, WRONG_TYPE, naming feature and row.
 */
export function columnsFromRows(
  rows: readonly Readonly<Record<string, Json>>[],
  featureTypes: Readonly<Record<string, FeatureType>>,
  timeMs: number,
): ColumnBatch {
  const features = Object.entries(featureTypes).map(([feature, type]): [string, Column] => [
    feature,
    type === "category" ? categoryColumn(rows, feature) : numberColumn(rows, feature, type),
  ]);
  return {
    rows: rows.length,
    exampleTimeMs: new Float64Array(rows.length).fill(timeMs),
    features: Object.fromEntries(features),
  };
}

type Rows = readonly Readonly<Record<string, Json>>[];

function categoryColumn(rows: Rows, feature: string): Column {
  const codeOf = new Map<string, number>();
  const codes = new Int32Array(rows.length);
  rows.forEach((row, i) => {
    const value = valueOf(row, feature, i);
    if (value === null) {
      codes[i] = -1;
      return;
    }
    if (typeof value === "object") throw wrongValue(feature, i, "category", value);
    const text = String(value);
    const code = codeOf.get(text) ?? codeOf.size;
    codeOf.set(text, code);
    codes[i] = code;
  });
  return { type: "category", dictionary: [...codeOf.keys()], codes };
}

function numberColumn(rows: Rows, feature: string, type: Exclude<FeatureType, "category">): Column {
  const values = new Float64Array(rows.length);
  const valid = new Uint8Array(rows.length).fill(1);
  rows.forEach((row, i) => {
    const value = valueOf(row, feature, i);
    if (value === null) {
      valid[i] = 0;
      return;
    }
    const number = toNumber(value, type);
    if (number === undefined) throw wrongValue(feature, i, type, value);
    values[i] = number;
  });
  return valid.includes(0) ? { type, values, valid } : { type, values };
}

function toNumber(value: Json, type: Exclude<FeatureType, "category">): number | undefined {
  switch (type) {
    case "boolean":
      return typeof value === "boolean" ? Number(value) : undefined;
    case "int64":
      return Number.isSafeInteger(value) ? Number(value) : undefined;
    case "float64":
      return Number.isFinite(value) ? Number(value) : undefined;
    case "timestamp": {
      const ms = typeof value === "string" ? utcMs(value) : value;
      return Number.isFinite(ms) ? Number(ms) : undefined;
    }
  }
}

function valueOf(row: Readonly<Record<string, Json>>, feature: string, at: number): Json {
  const value = Object.hasOwn(row, feature) ? row[feature] : undefined;
  if (value !== undefined) return value;
  throw new HeddleError(
    "INVALID_ARGUMENT",
    "MISSING_FEATURE",
    `row ${at} has no feature ${feature}: send it, null where it is unknown`,
    { metadata: { feature, row: String(at) } },
  );
}

function wrongValue(feature: string, row: number, type: FeatureType, value: Json): HeddleError {
  return new HeddleError(
    "INVALID_ARGUMENT",
    "WRONG_TYPE",
    `feature ${feature} of row ${row} is ${JSON.stringify(value).slice(0, 80)}, expected ${type} or null`,
    { metadata: { feature, row: String(row), expected: type } },
  );
}
