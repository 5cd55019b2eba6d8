import { HeddleError, messageOf } from "@heddle/base";
import type { DuckDBDataChunk, DuckDBInstance } from "@duckdb/node-api";

export interface DuckdbOptions {
  readonly threads: number;
  /** What DuckDB may hold in memory; beyond it, it spills to `tempFolder`. */
  readonly memoryBytesMax: number;
  readonly tempFolder: string;
}

/** One in-memory database, used by one caller at a time. */
export interface Duckdb {
  run(sql: string): Promise<void>;
  /** Rows as plain objects; 64-bit integers are bigint. For small results. */
  rows<T extends object>(sql: string): Promise<T[]>;
  /** The first column of the first row, as a number. */
  count(sql: string): Promise<number>;
  /** The first column as text. */
  texts(sql: string): Promise<string[]>;
  /** Chunks of at most 2,048 rows, in order. */
  chunks(sql: string): AsyncIterable<DuckDBDataChunk>;
  readonly tempFolder: string;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Opens DuckDB inside this process. Only child programs do so: its threads would stall a host.
 *
 * @throws {HeddleError} RESOURCE_EXHAUSTED ENGINE_FULL from any query that finds no memory or disk.
 */
export async function openDuckdb(options: DuckdbOptions): Promise<Duckdb> {
  const instance = await createInstance(options);
  const db = await connectTo(instance, options);
  return {
    ...db,
    [Symbol.asyncDispose]: async () => {
      await db[Symbol.asyncDispose]();
      instance.closeSync();
    },
  };
}

/**
 * An in-memory database, to be closed by whoever asked for it. The library is loaded here, for the
 * host imports this package for its plans and never opens a database.
 */
export async function createInstance(options: DuckdbOptions): Promise<DuckDBInstance> {
  const { DuckDBInstance } = await import("@duckdb/node-api");
  return DuckDBInstance.create(":memory:", {
    threads: String(options.threads),
    memory_limit: `${Math.floor(options.memoryBytesMax / 1024)}KiB`,
    temp_directory: options.tempFolder,
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
  });
}

/** A connection to it. */
export async function connectTo(instance: DuckDBInstance, options: DuckdbOptions): Promise<Duckdb> {
  const connection = await instance.connect();
  await connection.run("set preserve_insertion_order = true");
  // Else times that have a zone would become those of this machine's.
  await connection.run("set TimeZone = 'UTC'");
  const guarded = async <T>(query: Promise<T>): Promise<T> => {
    try {
      return await query;
    } catch (error) {
      throw engineError(error);
    }
  };
  const read = (sql: string) => guarded(connection.runAndReadAll(sql));
  return {
    tempFolder: options.tempFolder,
    run: async (sql) => {
      await guarded(connection.run(sql));
    },
    rows: async <T extends object>(sql: string) => (await read(sql)).getRowObjectsJS() as T[],
    count: async (sql) => Number((await read(sql)).getRowsJS()[0]?.[0] ?? 0),
    texts: async (sql) => (await read(sql)).getRowsJS().map((row) => row[0] as string),
    chunks: async function* (sql) {
      const result = await guarded(connection.stream(sql));
      for (;;) {
        const chunk = await guarded(result.fetchChunk());
        if (chunk === null || chunk.rowCount === 0) return;
        yield chunk;
      }
    },
    [Symbol.asyncDispose]: () => {
      connection.closeSync();
      return Promise.resolve();
    },
  };
}

function engineError(error: unknown): unknown {
  const message = messageOf(error);
  if (!/^(Out of Memory|IO) Error.*(memory|space|disk)/is.test(message)) return error;
  return new HeddleError(
    "RESOURCE_EXHAUSTED",
    "ENGINE_FULL",
    `the feature engine found no room: ${message.split("\n")[0]}; raise its memory limit or free disk`,
    { cause: error },
  );
}
