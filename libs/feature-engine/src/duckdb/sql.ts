import type { ColumnType, Filter } from "@heddle/sdk";

/** An identifier in SQL. */
export function id(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text literal in SQL. */
export function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

function literal(value: number | string | boolean): string {
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

/** Whether a text is a time that says its distance from UTC. */
export function zoned(raw: string): string {
  return `regexp_matches(${raw}, ':\\d\\d.*(Z|UTC|[+-]\\d\\d(:?\\d\\d)?)$')`;
}

/** A text as a declared type, as a segment stores it; null where it is none. A time that says no zone is UTC. */
export function parsed(raw: string, type: ColumnType): string {
  const cast = `try_cast(${raw} as ${storedTypes[type]})`;
  // DuckDB would round the one, and pass over the zone of the other.
  if (type === "int64") {
    const number = `try_cast(${raw} as double)`;
    return `case when regexp_matches(${raw}, '[.eE]') and ${number} <> trunc(${number}) then null else ${cast} end`;
  }
  if (type === "timestamp") {
    return `case when ${zoned(raw)} then cast(try_cast(${raw} as timestamptz) as timestamp) else ${cast} end`;
  }
  return cast;
}

/** The segment's own column: when an event could first have been known. */
export const availableColumn = "heddle_available";

/** An arrived file's own columns: whether the timestamp in this place was written with a zone. */
export const zoneColumn = (place: number): string => id(`heddle_zone_${place}`);

/** A prefix that no declared column or feature may have. */
export const reservedPrefix = "heddle_";
