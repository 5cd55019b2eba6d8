import { HeddleError, utcMs } from "@heddle/base";
import type { DatasetPlan } from "@heddle/feature-engine";
import type { ColumnType } from "@heddle/sdk";

export type Scalar = string | number | boolean | null;
export type Row = Record<string, Scalar>;

/** What says which columns an example has. */
type Declaring = Pick<DatasetPlan, "examples" | "sources">;

/** What of JSON is a value of a column; null is one of each. */
const fits: Readonly<Record<ColumnType, (value: Scalar) => boolean>> = {
  int64: (value) =>
    Number.isSafeInteger(value) || (typeof value === "string" && /^-?\d{1,19}$/.test(value)),
  float64: (value) => typeof value === "number",
  string: (value) => typeof value === "string",
  boolean: (value) => typeof value === "boolean",
  timestamp: (value) => Number.isFinite(typeof value === "string" ? utcMs(value) : value),
};

const written: Readonly<Record<ColumnType, string>> = {
  int64: "a whole number, as text when it is above 9007199254740991",
  float64: "a number",
  string: "a text between quotes",
  boolean: "true or false",
  timestamp: "a time as 2026-11-23T18:00:00Z, or milliseconds since 1970",
};

/**
 * Example rows out of a request. A value of another type than its column's would be one that was never learnt, and be answered as such.
 *
 * @throws {HeddleError} INVALID_ARGUMENT EXAMPLES_INVALID naming row and column.
 */
export function parseExamples(json: string, plan: Declaring): Row[] {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw invalid(`they are no JSON: ${String(error)}`);
  }
  const isScalar = (cell: unknown): boolean => cell === null || typeof cell !== "object";
  const isRow = (row: unknown): boolean =>
    typeof row === "object" && row !== null && Object.values(row).every(isScalar);
  if (!Array.isArray(value) || !value.every(isRow)) {
    throw invalid("they must be a JSON array of objects of numbers, texts, booleans and nulls");
  }
  const rows = (value as Row[]).map((row) => ({ ...row }));
  checkTypes(rows, columnTypes(plan));
  return rows;
}

function columnTypes({ examples, sources }: Declaring): ReadonlyMap<string, ColumnType> {
  const names =
    examples.kind === "rows"
      ? [examples.source]
      : [examples.candidates.source, examples.visits.source];
  return new Map(names.flatMap((name) => Object.entries(sources[name]?.definition.columns ?? {})));
}

function checkTypes(rows: readonly Row[], types: ReadonlyMap<string, ColumnType>): void {
  rows.forEach((row, at) => {
    for (const [column, value] of Object.entries(row)) {
      const type = types.get(column);
      if (value === null || type === undefined || fits[type](value)) continue;
      const shown = JSON.stringify(value).slice(0, 80);
      throw invalid(
        `${rows.length === 1 ? "" : `row ${at}, `}column "${column}" is ${type}, and has ${shown}: write ${written[type]}`,
      );
    }
  });
}

export function invalid(problem: string): HeddleError {
  return new HeddleError("INVALID_ARGUMENT", "EXAMPLES_INVALID", `examples_json: ${problem}`);
}
