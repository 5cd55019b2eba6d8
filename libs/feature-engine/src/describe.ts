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
  const found = await db.rows<{ column_name: string; column_type: string }>(
    `describe select * from ${scan}`,
  );
  const columns: ColumnDescription[] = [];
  for (const { column_name: name, column_type: stored } of found) {
    const [counts] = await db.rows<{ d: bigint; n: bigint }>(
      `select count(distinct ${id(name)}) as d, count(*) - count(${id(name)}) as n from ${scan}`,
    );
    columns.push({
      name,
      type: declaredType(stored),
      distinct: Number(counts?.d ?? 0),
      nulls: Number(counts?.n ?? 0),
    });
  }
  const rows = await db.count(`select count(*) from ${scan}`);
  const labelled = columns.find(({ name }) => name === label);
  if (labelled === undefined || !isBinary(labelled)) return { rows, columns };
  const positive = `cast(${id(labelled.name)} as integer) <> 0`;
  const told: ColumnDescription[] = [];
  for (const column of columns) {
    const { name, type } = column;
    const ordered = type === "int64" || type === "float64" || type === "timestamp";
    const tells = await tellsLabel(db, scan, { column: name, label: positive, ordered });
    told.push(column === labelled ? column : { ...column, tells });
  }
  return { rows, columns: told };
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
