import type { ColumnType } from "@heddle/sdk";
import { type Odd, readTypedCsv } from "./csv-types.ts";
import type { Duckdb } from "../duckdb/duckdb.ts";
import { id, text } from "../duckdb/sql.ts";
import { tellsLabel } from "./tells-label.ts";

/** What a look at a table file tells of a column. */
export interface ColumnDescription {
  readonly name: string;
  readonly type: ColumnType;
  /** Distinct values, null not counted. */
  readonly distinct: number;
  readonly nulls: number;
  /** Whether it can be a label: true and false, or the numbers 0 and 1, and no other. */
  readonly binary: boolean;
  /** How well it alone tells the label (`tellsLabel`); absent of the label itself, and where no label of two values was named. */
  readonly tells?: number;
  /** What it lacks to be one of numbers or times: of each column of texts in a CSV file. */
  readonly odd?: Odd;
}

export interface TableDescription {
  readonly rows: number;
  readonly columns: readonly ColumnDescription[];
}

const described = "described";

/**
 * Guesses the columns of a CSV or Parquet file: what a person would declare after a look at it. A CSV file is read as an ingestion
 * will read it.
 *
 * @param label the column to predict.
 * @throws {HeddleError} INVALID_ARGUMENT UNREADABLE_TABLE; what DuckDB throws.
 */
export async function describeTable(
  db: Duckdb,
  path: string,
  label?: string,
): Promise<TableDescription> {
  try {
    // Each column is looked at several times; the file is read once.
    const odd = await readTable(db, path);
    const rows = await db.count(`select count(*) from ${described}`);
    const columns: ColumnDescription[] = [];
    for (const { column_name: name, column_type: stored } of await db.rows<{
      column_name: string;
      column_type: string;
    }>(`describe ${described}`)) {
      const strange = odd.get(name);
      const column = await describeColumn(db, name, declaredType(stored));
      columns.push(strange === undefined ? column : { ...column, odd: strange });
    }
    const labelled = columns.find(({ name, binary }) => name === label && binary);
    if (labelled?.distinct !== 2) return { rows, columns };
    const told: ColumnDescription[] = [];
    for (const column of columns) {
      if (column === labelled) told.push(column);
      else told.push({ ...column, tells: await tells(db, rows, column, labelled.name) });
    }
    return { rows, columns: told };
  } finally {
    await db.run(`drop table if exists ${described}`);
  }
}

async function describeColumn(
  db: Duckdb,
  name: string,
  type: ColumnType,
): Promise<ColumnDescription> {
  const of = id(name);
  const mayBe = type === "boolean" || type === "int64" || type === "float64";
  const binary = mayBe ? `coalesce(bool_and(cast(${of} as double) in (0, 1)), false)` : "false";
  const [found] = await db.rows<{ d: bigint; n: bigint; b: boolean }>(
    `select count(distinct ${of}) as d, count(*) - count(${of}) as n, ${binary} as b from ${described}`,
  );
  const [distinct, nulls] = [Number(found?.d ?? 0), Number(found?.n ?? 0)];
  return { name, type, distinct, nulls, binary: found?.b === true };
}

/** @returns what is odd in columns of texts; a Parquet file says its types itself. */
async function readTable(db: Duckdb, path: string): Promise<ReadonlyMap<string, Odd>> {
  if (!path.endsWith(".parquet")) return readTypedCsv(db, path, described);
  await db.run(`create or replace temp table ${described} as from read_parquet(${text(path)})`);
  return new Map();
}

/** With fewer rows for each value, a value knows its rows by heart. */
const rowsPerValueMin = 10;

function tells(
  db: Duckdb,
  rows: number,
  { name: column, type, distinct }: ColumnDescription,
  label: string,
): Promise<number> {
  const ordered = type === "int64" || type === "float64" || type === "timestamp";
  const byValue = !ordered && distinct * rowsPerValueMin <= rows;
  const positive = `cast(${id(label)} as integer) <> 0`;
  return tellsLabel(db, described, { column, label: positive, ordered, byValue });
}

function declaredType(stored: string): ColumnType {
  if (/^U?(TINYINT|SMALLINT|INTEGER|BIGINT)$/.test(stored)) return "int64";
  if (/^(FLOAT|DOUBLE|DECIMAL)/.test(stored)) return "float64";
  if (/^(DATE|TIMESTAMP)/.test(stored)) return "timestamp";
  return stored === "BOOLEAN" ? "boolean" : "string";
}
