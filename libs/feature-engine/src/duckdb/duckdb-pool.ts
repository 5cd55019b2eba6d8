import { connectTo, createInstance, type Duckdb, type DuckdbOptions } from "./duckdb.ts";

/** Connections to one database: each has temporary tables of its own, and its queries run beside those of others. */
export interface DuckdbPool extends AsyncDisposable {
  /** Runs work on a connection that nobody uses meanwhile; waits for one when all are taken. */
  use<T>(work: (db: Duckdb) => Promise<T>): Promise<T>;
}

/**
 * Opens a database with so many connections, which share its threads and memory.
 *
 * @throws as `openDuckdb`.
 */
export async function openDuckdbPool(
  options: DuckdbOptions,
  connections: number,
): Promise<DuckdbPool> {
  const instance = await createInstance(options);
  const idle: Duckdb[] = [];
  for (let i = 0; i < connections; i++) idle.push(await connectTo(instance, options));
  const all = [...idle];
  const waiting: ((db: Duckdb) => void)[] = [];
  const take = (): Promise<Duckdb> => {
    const db = idle.pop();
    return db === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(db);
  };
  return {
    use: async (work) => {
      const db = await take();
      try {
        return await work(db);
      } finally {
        const next = waiting.shift();
        if (next === undefined) idle.push(db);
        else next(db);
      }
    },
    [Symbol.asyncDispose]: async () => {
      for (const db of all) await db[Symbol.asyncDispose]();
      instance.closeSync();
    },
  };
}
