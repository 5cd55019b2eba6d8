import { HeddleError, messageOf } from "@heddle/base";
import type { ColumnType } from "@heddle/sdk";
import { csvColumns, csvProblem, csvRows, type Problem } from "../ingest/csv.ts";
import type { Duckdb } from "../duckdb/duckdb.ts";
import { id, parsed } from "../duckdb/sql.ts";

/** What keeps a column of texts from being one of numbers or of times. */
export interface Odd {
  /** What more of its values are. */
  readonly most: "float64" | "timestamp";
  /** Values that are so, of how many. */
  readonly count: number;
  readonly of: number;
  /** The first value that is not, its row from 1. */
  readonly row: number;
  /** Its first characters. */
  readonly value: string;
}

const asText = "described_text";
/** What is shown of an odd value. */
const shownCharacters = 40;

/** Types that a column of texts may have, the narrowest first. */
const guessed: readonly ColumnType[] = ["int64", "float64", "boolean", "timestamp"];

/**
 * Reads a CSV file into a table, each column as the narrowest type that all its values have where an ingestion reads them.
 *
 * @returns what is odd in the columns that stayed texts.
 * @throws {HeddleError} INVALID_ARGUMENT UNREADABLE_TABLE.
 */
export async function readTypedCsv(
  db: Duckdb,
  path: string,
  table: string,
): Promise<ReadonlyMap<string, Odd>> {
  const names = csvColumns(path);
  if ("problem" in names) throw unreadable(path, names);
  try {
    await db.run(
      `create or replace temp table ${asText} as select row_number() over () as heddle_row, * from ${csvRows(path, names)}`,
    );
    return await typeColumns(db, names, table);
  } catch (error) {
    const problem = csvProblem(messageOf(error));
    throw problem === undefined ? error : unreadable(path, problem);
  } finally {
    await db.run(`drop table if exists ${asText}`);
  }
}

const unreadable = (path: string, { problem, remedy }: Problem): HeddleError =>
  new HeddleError("INVALID_ARGUMENT", "UNREADABLE_TABLE", `${path}: ${problem}; ${remedy}`);

async function typeColumns(
  db: Duckdb,
  names: readonly string[],
  table: string,
): Promise<ReadonlyMap<string, Odd>> {
  const odd = new Map<string, Odd>();
  const typed: string[] = [];
  for (const name of names) {
    const counts = guessed.map((type) => `count(${valueOf(name, type)}) as ${type}`);
    const [found] = await db.rows<Record<"values" | ColumnType, bigint>>(
      `select count(${id(name)}) as "values", ${counts.join(", ")} from ${asText}`,
    );
    const values = Number(found?.values ?? 0);
    const type = guessed.find((one) => values > 0 && Number(found?.[one]) === values) ?? "string";
    typed.push(`${parsed(id(name), type)} as ${id(name)}`);
    if (type !== "string") continue;
    const numbers = Number(found?.float64);
    const times = Number(found?.timestamp);
    const most = numbers > times ? "float64" : "timestamp";
    const count = Math.max(numbers, times);
    odd.set(name, { most, count, of: values, ...(await firstNot(db, name, most)) });
  }
  await db.run(
    `create or replace temp table ${table} as select ${typed.join(", ")} from ${asText}`,
  );
  return odd;
}

/**
 * The value as that type; null where an ingestion would refuse it, and where it would lose digits: those of a postal code (01005), and
 * those of a name that is longer than whole numbers are.
 */
function valueOf(name: string, type: ColumnType): string {
  const value = parsed(id(name), type);
  if (type !== "int64" && type !== "float64") return value;
  const names = `regexp_full_match(${id(name)}, '[+-]?(0\\d+${type === "float64" ? "|\\d{19,}" : ""})')`;
  return `case when isfinite(${value}::double) and not ${names} then 1 end`;
}

async function firstNot(
  db: Duckdb,
  name: string,
  type: ColumnType,
): Promise<Pick<Odd, "row" | "value">> {
  const [first] = await db.rows<{ row: bigint; value: string }>(
    `select heddle_row as row, left(${id(name)}, ${shownCharacters}) as value from ${asText}
     where ${id(name)} is not null and ${valueOf(name, type)} is null order by heddle_row limit 1`,
  );
  return { row: Number(first?.row ?? 0), value: first?.value ?? "" };
}
