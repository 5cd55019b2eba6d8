import { statSync } from "node:fs";
import { HeddleError, messageOf } from "@heddle/base";
import type { ColumnType } from "@heddle/sdk";
import type { Duckdb } from "../duckdb/duckdb.ts";
import { refused } from "./ingest-error.ts";
import type { IngestTask } from "./ingest-task.ts";
import { csvColumns, csvProblem, csvRows } from "./csv.ts";
import { id, parsed, storedTypes, text, zoneColumn, zoned } from "../duckdb/sql.ts";

/**
 * Reads the file into the table `incoming`: its declared columns as they are stored, `heddle_row`
 * counting from 1, and for text formats `heddle_bad`, the first column whose text is not of its type,
 * and for each timestamp whether its text says a zone (`zoneColumn`).
 *
 * @returns rows in the file.
 */
export async function readEventFile(db: Duckdb, task: IngestTask): Promise<number> {
  if (statSync(task.path).size === 0) throw empty(task);
  const found = await namesOf(db, task);
  await readable(task, () =>
    db.run(`create or replace temp table incoming as ${reading(task, found)}`),
  );
  const rows = await db.count("select count(*) from incoming");
  if (rows === 0) throw empty(task);
  return rows;
}

function empty(task: IngestTask): HeddleError {
  return refused(task, "EMPTY_FILE", "it has no rows", "send a file with events, or none at all");
}

/** Columns of the file, which are those that the source declares. */
async function namesOf(db: Duckdb, task: IngestTask): Promise<readonly string[]> {
  // The names in a log's records were looked at one by one, where the records were read.
  if (task.leaveOut === true) return Object.keys(task.source.columns);
  const found = await readable(task, () => columnsOf(db, task));
  checkNames(task, [...found.keys()]);
  if (task.format === "parquet") checkParquetTypes(task, found);
  return [...found.keys()];
}

/** Columns of the file, with DuckDB's types for Parquet. */
async function columnsOf(db: Duckdb, task: IngestTask): Promise<Map<string, string>> {
  if (task.format === "csv") {
    const columns = csvColumns(task.path);
    if ("problem" in columns)
      throw refused(task, "UNREADABLE_FILE", columns.problem, columns.remedy);
    return new Map(columns.map((column) => [column, "VARCHAR"]));
  }
  if (task.format === "jsonl") {
    const keys = await db.texts(`select distinct unnest(json_keys(json)) as k
      from read_ndjson_objects(${text(task.path)}) order by k`);
    // A file without objects has no keys; it is empty, not short of columns.
    return new Map(
      (keys.length === 0 ? Object.keys(task.source.columns) : keys).map((k) => [k, "VARCHAR"]),
    );
  }
  const described = await db.rows<{ column_name: string; column_type: string }>(
    `describe select * from ${parquetRows(task)}`,
  );
  return new Map(described.map((c) => [c.column_name, c.column_type]));
}

const parquetRows = ({ path }: IngestTask): string =>
  `read_parquet(${text(path)}, file_row_number = true)`;

function checkNames(task: IngestTask, found: readonly string[]): void {
  const declared = Object.keys(task.source.columns);
  const unknown = found.find((c) => !declared.includes(c) && c !== "file_row_number");
  if (unknown !== undefined) {
    const remedy = `declare it in the source or leave it out; declared are ${declared.join(", ")}`;
    throw refused(
      task,
      "UNKNOWN_COLUMN",
      `it has a column "${unknown}" that the source does not declare`,
      remedy,
      unknown,
    );
  }
  const missing = declared.find((c) => !found.includes(c));
  if (missing !== undefined) {
    const remedy = `add it to the file; it has ${found.filter((c) => c !== "file_row_number").join(", ")}`;
    throw refused(task, "MISSING_COLUMN", `the column "${missing}" is not in it`, remedy, missing);
  }
}

/** Parquet types from which a declared type loses nothing. */
const accepted: Readonly<Record<ColumnType, RegExp>> = {
  int64: /^U?(TINYINT|SMALLINT|INTEGER)$|^BIGINT$/,
  float64: /^(FLOAT|DOUBLE|DECIMAL.*|U?(TINYINT|SMALLINT|INTEGER)|BIGINT)$/,
  string: /^(VARCHAR|ENUM.*)$/,
  boolean: /^BOOLEAN$/,
  timestamp: /^(DATE|TIMESTAMP.*)$/,
};

function checkParquetTypes(task: IngestTask, found: ReadonlyMap<string, string>): void {
  for (const [column, type] of Object.entries(task.source.columns)) {
    const has = found.get(column) ?? "";
    if (accepted[type].test(has)) continue;
    const remedy = `write it as ${type}, or declare the source's column otherwise`;
    throw refused(
      task,
      "WRONG_TYPE",
      `the column "${column}" should be ${type} but is ${has}`,
      remedy,
      column,
    );
  }
}

/** @param names the file's columns, in its order. */
function reading(task: IngestTask, names: readonly string[]): string {
  const columns = Object.entries(task.source.columns);
  if (task.format === "parquet") {
    const casts = columns.map(([c, type]) => `cast(${id(c)} as ${storedTypes[type]}) as ${id(c)}`);
    return `select ${casts.join(", ")}, file_row_number + 1 as heddle_row, null as heddle_bad from ${parquetRows(task)}`;
  }
  const [raw, from] =
    task.format === "csv"
      ? [(c: string) => id(c), csvRows(task.path, names)]
      : [
          (c: string) => `found[${columns.findIndex(([name]) => name === c) + 1}]`,
          jsonValues(
            columns.map(([c]) => c),
            task.path,
          ),
        ];
  const casts = columns.map(([c, type]) => `${parsed(raw(c), type)} as ${id(c)}`);
  const zones = columns.flatMap(([c, type], at) =>
    type === "timestamp" ? [`${zoned(raw(c))} as ${zoneColumn(at)}`] : [],
  );
  const bad = columns.map(
    ([c, type]) => `when ${raw(c)} is not null and ${parsed(raw(c), type)} is null then ${text(c)}`,
  );
  return `select ${[...casts, ...zones].join(", ")}, row_number() over () as heddle_row, case ${bad.join(" ")} end as heddle_bad from ${from}`;
}

/** Each line once for all its columns: reading the JSON is what costs. */
function jsonValues(columns: readonly string[], path: string): string {
  const paths = columns.map((c) => text(`$."${c}"`));
  return `(select json_extract_string(json, [${paths.join(", ")}]) as found from read_ndjson_objects(${text(path)}))`;
}

async function readable<T>(task: IngestTask, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof HeddleError) throw error;
    const { problem, remedy } = csvProblem(messageOf(error)) ?? {
      problem: `it cannot be read (${firstLine(error).replaceAll(task.path, task.fileName)})`,
      remedy: `send it again whole, as ${task.format}`,
    };
    throw refused(task, "UNREADABLE_FILE", problem, remedy);
  }
}

const firstLine = (error: unknown): string => messageOf(error).split("\n")[0] ?? "";
