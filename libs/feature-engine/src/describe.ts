import type { ColumnType } from "@heddle/sdk";
import type { Duckdb } from "./duckdb.ts";
import { id, text } from "./sql.ts";
import { tellsLabel } from "./tells-label.ts";

/** What a look at a table file tells of a column. */
export interface ColumnDescription {
  readonly name: string;
  readonly type: ColumnType;
  /** Distinct values, null not counted. */
  readonly distinct: number;
  readonly nulls: number;
  /** How well it alone tells the label (`tellsLabel`); absent of the label itself, and where no label of two values was named. */
  readonly tells?: number;
}

export interface TableDescription {
  readonly rows: number;
  readonly columns: readonly ColumnDescription[];
}

/**
 * Guesses the columns of a CSV or Parquet file: what a person would declare after a look at it.
 *
 * @param label the column to predict.
 */
export async function describeTable(
  db: Duckdb,
  path: string,
  label?: string,
): Promise<TableDescription> {
  const scan = path.endsWith(".parquet")
    ? `read_parquet(${text(path)})`
    : `read_csv(${text(path)}, header = true, sample_size = -1)`;
  // Each column is looked at several times; the file is read once.
  await db.run(`create or replace temp table ${described} as from ${scan}`);
  try {
    const rows = await db.count(`select count(*) from ${described}`);
    const columns: ColumnDescription[] = [];
    for (const { column_name: name, column_type: stored } of await db.rows<{
      column_name: string;
      column_type: string;
    }>(`describe ${described}`)) {
      const [counts] = await db.rows<{ d: bigint; n: bigint }>(
        `select count(distinct ${id(name)}) as d, count(*) - count(${id(name)}) as n from ${described}`,
      );
      const [distinct, nulls] = [Number(counts?.d ?? 0), Number(counts?.n ?? 0)];
      columns.push({ name, type: declaredType(stored), distinct, nulls });
    }
    const labelled = columns.find((column) => column.name === label && isBinary(column));
    if (labelled === undefined) return { rows, columns };
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

const described = "described";
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

/** Whether a column can be a label: true or false, 0 or 1. */
function isBinary({ type, distinct }: ColumnDescription): boolean {
  return (type === "boolean" || type === "int64" || type === "float64") && distinct === 2;
}

function declaredType(stored: string): ColumnType {
  if (/^U?(TINYINT|SMALLINT|INTEGER|BIGINT)$/.test(stored)) return "int64";
  if (/^(FLOAT|DOUBLE|DECIMAL)/.test(stored)) return "float64";
  if (/^(DATE|TIMESTAMP)/.test(stored)) return "timestamp";
  return stored === "BOOLEAN" ? "boolean" : "string";
}
