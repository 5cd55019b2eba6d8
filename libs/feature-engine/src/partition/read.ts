import { HeddleError } from "@heddle/base";
import type { Dictionary, ExampleBatch } from "@heddle/transform";
import { parseDictionaries } from "./dictionaries.ts";
import { type Duckdb, openDuckdb } from "../duckdb/duckdb.ts";
import { dictionariesKey } from "./encode.ts";
import { type ReadFeature, type ReadLayout, startPiece } from "./piece.ts";
import { type DatasetColumn, exampleColumns } from "../plan.ts";
import { id, text } from "../duckdb/sql.ts";
import { readNumbers } from "./vectors.ts";

export interface ReadOptions {
  /** A database to read with; without one, a small one is opened for the call. */
  readonly db?: Duckdb;
}

/** Visits of a partition, from the first to the last, both included. */
export interface VisitRange {
  readonly first: number;
  readonly last: number;
}

/** Rows a piece of a partition has at least, unless it is the last. */
const chunkRowsMin = 100_000;

const readerMemoryBytesMax = 256 << 20;
const vectorRows = 2_048;

/**
 * Reads a partition whole.
 *
 * @param path local path of the Parquet file.
 * @param columns as the manifest lists them; a feature that is not listed is not read.
 * @throws {HeddleError} DATA_LOSS PARTITION_CORRUPT when the file has not these columns.
 */
export async function readPartition(
  path: string,
  columns: readonly DatasetColumn[],
  options: ReadOptions = {},
): Promise<ExampleBatch> {
  const whole = { ...options, rowsMin: Number.MAX_SAFE_INTEGER };
  for await (const batch of readPartitionChunks(path, columns, whole)) return batch;
  return startPiece(layoutOf(columns, new Map(), {}).layout, 0).first(0);
}

/**
 * Divides a partition's visits into ranges of about `rows` rows each, for several threads to read.
 * They depend on the file alone; rows lie in the order of their visits, so a range reads few rows of others.
 */
export async function visitRanges(
  db: Duckdb,
  path: string,
  rows: number,
): Promise<readonly VisitRange[]> {
  const [found] = await db.rows<{ rows: bigint | null; last: number | null }>(
    `select sum(num_values) as rows, max(cast(stats_max as integer)) as last
     from parquet_metadata(${text(path)}) where path_in_schema = 'visit'`,
  );
  const visits = (found?.last ?? 0) + 1;
  const ranges = Math.min(visits, Math.max(1, Math.ceil(Number(found?.rows ?? 0) / rows)));
  const start = (range: number): number => Math.floor((visits * range) / ranges);
  return Array.from({ length: ranges }, (_, i) => ({ first: start(i), last: start(i + 1) - 1 }));
}

/**
 * Reads a partition piece by piece; no visit is split, and codes mean the same in every piece. The arrays of a piece are used
 * again: they hold until the next one is asked for, so copy what outlives it.
 *
 * @param options.visits reads these visits only; other row groups are not decoded.
 * @throws as `readPartition`.
 */
export async function* readPartitionChunks(
  path: string,
  columns: readonly DatasetColumn[],
  options: ReadOptions & { readonly rowsMin?: number; readonly visits?: VisitRange } = {},
): AsyncIterable<ExampleBatch> {
  const { db, rowsMin = chunkRowsMin, visits } = options;
  if (db === undefined) {
    const settings = { threads: 1, memoryBytesMax: readerMemoryBytesMax, tempFolder: "" };
    await using own = await openDuckdb(settings);
    yield* readPartitionChunks(path, columns, { ...options, db: own });
    return;
  }
  const { layout, select, rows } = await inspect(db, path, columns);
  const piece = startPiece(layout, Math.min(rows, rowsMin + vectorRows));
  const wanted =
    visits === undefined ? "" : ` where visit between ${visits.first} and ${visits.last}`;
  const query = `select ${select} from read_parquet(${text(path)})${wanted}`;
  for await (const chunk of db.chunks(query)) {
    piece.append((index) => readNumbers(chunk.getColumnVector(index)), chunk.rowCount);
    const whole = piece.rows > rowsMin ? piece.lastVisitStart() : 0;
    if (whole === 0) continue;
    yield piece.first(whole);
    piece.drop(whole);
  }
  if (piece.rows > 0) yield piece.first(piece.rows);
}

interface Inspected {
  readonly layout: ReadLayout;
  readonly select: string;
  readonly rows: number;
}

async function inspect(
  db: Duckdb,
  path: string,
  columns: readonly DatasetColumn[],
): Promise<Inspected> {
  const found = await db.rows<{ name: string; nulls: bigint | null; rows: bigint }>(
    `select path_in_schema as name, sum(stats_null_count) as nulls, sum(num_values) as rows
     from parquet_metadata(${text(path)}) group by path_in_schema`,
  );
  const nulls = new Map(found.map((c) => [c.name, Number(c.nulls ?? 1)]));
  const missing = columns.find((c) => found.length > 0 && !nulls.has(c.name));
  const [dictionaries] = await db.rows<{ value: Uint8Array }>(
    `select value from parquet_kv_metadata(${text(path)})
     where decode(key) = ${text(dictionariesKey)}`,
  );
  if (missing !== undefined || dictionaries === undefined) {
    throw new HeddleError(
      "DATA_LOSS",
      "PARTITION_CORRUPT",
      `the partition ${path} has no ${missing === undefined ? "dictionaries" : `column "${missing.name}"`}: build the dataset again`,
    );
  }
  const words = wordsOf(path, dictionaries.value);
  return { ...layoutOf(columns, nulls, words), rows: Number(found[0]?.rows ?? 0) };
}

function wordsOf(path: string, json: Uint8Array): Readonly<Record<string, Dictionary>> {
  try {
    return parseDictionaries(json);
  } catch (cause) {
    const what = `the partition ${path} has dictionaries that cannot be read: build the dataset again`;
    throw new HeddleError("DATA_LOSS", "PARTITION_CORRUPT", what, { cause });
  }
}

function layoutOf(
  columns: readonly DatasetColumn[],
  nulls: ReadonlyMap<string, number>,
  words: Readonly<Record<string, Dictionary>>,
): Pick<Inspected, "layout" | "select"> {
  const select = ["visit", "cast(example_time as double)", "cast(label as float)", "weight"];
  const features: ReadFeature[] = [];
  for (const { name, type } of columns) {
    if (exampleColumns.some((c) => c.name === name)) continue;
    const index = select.length;
    if (type === "category") {
      select.push(id(name));
      features.push({ name, type, index, dictionary: words[name] ?? [] });
      continue;
    }
    select.push(`coalesce(cast(${id(name)} as double), 0)`);
    const nullable = (nulls.get(name) ?? 0) > 0;
    if (nullable) select.push(`cast(${id(name)} is not null as utinyint)`);
    features.push({
      name,
      type,
      index,
      dictionary: [],
      ...(nullable ? { validIndex: index + 1 } : {}),
    });
  }
  const layout = { features, visit: 0, time: 1, label: 2, weight: 3 };
  return { layout, select: select.join(", ") };
}
