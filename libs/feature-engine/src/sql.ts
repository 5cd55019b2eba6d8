import type { ColumnType, Filter } from "@heddle/sdk";

/** An identifier in SQL. */
export function id(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text literal in SQL. */
export function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

export function literal(value: number | string | boolean): string {
  return typeof value === "string" ? text(value) : String(value);
}

/** Rows of several Parquet files, which all have the same columns. */
export function parquetFiles(paths: readonly string[]): string {
  return `read_parquet([${paths.map(text).join(", ")}])`;
}

/** Conditions joined by `and`; `true` when there is none. `of` names the column in its table. */
export function allOf(filter: Filter, of: (column: string) => string): string {
  if (filter.length === 0) return "true";
  return filter
    .map(({ column, is, value }) => `${of(column)} ${is} ${literal(value)}`)
    .join(" and ");
}

/** Equality of the same columns of two tables. */
export function equal(columns: readonly string[], left: string, right: string): string {
  return columns.map((c) => `${left}.${id(c)} = ${right}.${id(c)}`).join(" and ");
}

/** The same, where null is a value like any other. */
export function same(columns: readonly string[], left: string, right: string): string {
  return columns
    .map((c) => `${left}.${id(c)} is not distinct from ${right}.${id(c)}`)
    .join(" and ");
}

/** How a segment stores a declared column. Timestamps have microseconds and no zone: they are UTC. */
export const storedTypes: Readonly<Record<ColumnType, string>> = {
  int64: "BIGINT",
  float64: "DOUBLE",
  string: "VARCHAR",
  boolean: "BOOLEAN",
  timestamp: "TIMESTAMP",
};

/** The segment's own column: when an event could first have been known. */
export const availableColumn = "heddle_available";

/** A prefix that no declared column or feature may have. */
export const reservedPrefix = "heddle_";
