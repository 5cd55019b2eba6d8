import { HeddleError, type Json } from "@heddle/base";

/** A row of a request: raw values by feature name. */
export type Row = Readonly<Record<string, Json>>;

/** @throws {HeddleError} INVALID_ARGUMENT ROWS_INVALID, TOO_MANY_ROWS. */
export function readRows(rowsJson: string, rowsMax: number): readonly Row[] {
  let rows: unknown;
  try {
    rows = JSON.parse(rowsJson);
  } catch {
    throw invalid("it is not JSON");
  }
  if (!Array.isArray(rows)) throw invalid("it is not an array");
  if (rows.length > rowsMax) {
    throw new HeddleError(
      "INVALID_ARGUMENT",
      "TOO_MANY_ROWS",
      `rows_json has ${rows.length} rows, at most ${rowsMax} are scored at once: send them in parts`,
    );
  }
  const wrong = rows.findIndex(
    (row) => typeof row !== "object" || row === null || Array.isArray(row),
  );
  if (wrong >= 0) throw invalid(`row ${wrong} is not an object`);
  return rows as Row[];
}

function invalid(why: string): HeddleError {
  return new HeddleError(
    "INVALID_ARGUMENT",
    "ROWS_INVALID",
    `rows_json: ${why}; send an array of objects, one a row, raw values by feature name`,
  );
}
