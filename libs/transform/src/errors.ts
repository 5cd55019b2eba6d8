import { HeddleError } from "@heddle/base";
import type { Column, ColumnBatch } from "./columns.ts";

/** The column of a feature. @throws {HeddleError} INVALID_ARGUMENT MISSING_FEATURE. */
export function columnOf(batch: ColumnBatch, feature: string, input: string): Column {
  const column = Object.hasOwn(batch.features, feature) ? batch.features[feature] : undefined;
  if (column !== undefined) return column;
  throw new HeddleError(
    "INVALID_ARGUMENT",
    "MISSING_FEATURE",
    `the rows have no feature ${feature}, which input ${input} reads: send it (null where it is unknown)`,
    { metadata: { feature, input } },
  );
}

export function wrongType(
  feature: string,
  input: string,
  expected: string,
  actual: string,
): HeddleError {
  return new HeddleError(
    "INVALID_ARGUMENT",
    "WRONG_TYPE",
    `feature ${feature} is ${actual}, input ${input} expected ${expected}: change the feature's type or the input`,
    { metadata: { feature, input, expected, actual } },
  );
}

/** @param row position in the batch. */
export function notANumber(
  features: readonly string[],
  input: string,
  row: number,
  value: number | null,
): HeddleError {
  const names = [...new Set(features)].join(", ");
  const remedy =
    value === null
      ? "give it a default with withDefault(…) or turn it into a category"
      : "correct the data, or clip it before log1p and ratio";
  return new HeddleError(
    "INVALID_ARGUMENT",
    "NOT_A_NUMBER",
    `input ${input} is ${value} in row ${row} (from feature ${names}), expected a finite number: ${remedy}`,
    { metadata: { input, features: names, row: String(row) } },
  );
}

/** A plan that cannot be compiled. */
export function badPlan(reason: string, message: string): HeddleError {
  return new HeddleError("INVALID_ARGUMENT", reason, message);
}
