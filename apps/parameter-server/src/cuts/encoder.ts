import { Worker } from "node:worker_threads";
import type { DenseState, FilePart, TableState } from "@heddle/artifact";
import { present } from "@heddle/base";

/** A table as a cut names it. */
export interface CutTable {
  readonly name: string;
  readonly dimension: number;
  /** Rows are saved with their versions, because they expire. */
  readonly versions?: boolean;
}

/** What the thread is told. */
export type Order =
  | { readonly kind: "begin"; readonly tables: readonly CutTable[] }
  | { readonly kind: "rows"; readonly table: string; readonly rows: TableState }
  | {
      readonly kind: "encode";
      readonly part: FilePart;
      readonly tables: readonly CutTable[];
      readonly dense: Readonly<Record<string, DenseState>>;
    }
  | { readonly kind: "next" };

/** What it answers, one answer to each `encode` and `next`. */
export interface Answer {
  readonly rows?: number;
  /** Absent at the end of the file. */
  readonly bytes?: Uint8Array;
}

/** Makes files of cuts on a thread of its own, one at a time. */
export interface Encoder extends AsyncDisposable {
  /** Forgets what it was given before. */
  begin(tables: readonly CutTable[]): void;
  /** Takes rows in any order; their memory is the thread's from now on. */
  add(table: string, rows: TableState): void;
  /** The file of all rows since `begin`. */
  encode(
    part: FilePart,
    tables: readonly CutTable[],
    dense: Readonly<Record<string, DenseState>>,
  ): Promise<EncodedFile>;
}

export interface EncodedFile {
  /** Rows of all tables. */
  readonly rows: number;
  /** Made as they are taken. */
  readonly pieces: AsyncIterable<Uint8Array>;
}

/** The thread starts with the first file and stays, idle, until it is disposed of. */
export function openEncoder(): Encoder {
  let thread: Worker | undefined;
  let closed = false;
  const start = (): Worker => {
    if (closed) throw new Error("the encoder was closed");
    const started = new Worker(new URL("./encode-thread.ts", import.meta.url));
    // One that fails or ends while nobody asks is missed by who asks next: it would never answer.
    started.on("error", () => forget(started)).on("exit", () => forget(started));
    // Nobody waits for it but who asked it something.
    started.unref();
    return started;
  };
  const forget = (worker: Worker): void => {
    if (thread === worker) thread = undefined;
  };
  const tell = (order: Order, moved: ArrayBufferLike[] = []): void => {
    (thread ??= start()).postMessage(order, moved as ArrayBuffer[]);
  };
  const ask = async (order: Order): Promise<Answer> => {
    const asked = Promise.withResolvers<Answer>();
    const { resolve, reject } = asked;
    const worker = (thread ??= start());
    const ended = (): void => reject(new Error("the encoding thread was ended"));
    worker.ref();
    worker.once("message", resolve).once("error", reject).once("exit", ended);
    tell(order);
    try {
      return await asked.promise;
    } catch (error) {
      // What it still held is gone with it; the next file gets another.
      forget(worker);
      throw error;
    } finally {
      worker.unref();
      worker.off("message", resolve).off("error", reject).off("exit", ended);
    }
  };
  return {
    begin: (tables) => tell({ kind: "begin", tables }),
    add: (table, rows) => {
      const moved = new Set([rows.ids.buffer, rows.values.buffer, rows.slots.buffer]);
      if (rows.versions) moved.add(rows.versions.buffer);
      tell({ kind: "rows", table, rows }, [...moved]);
    },
    encode: async (part, tables, dense) => {
      const { rows } = await ask({ kind: "encode", part, tables, dense });
      return {
        rows: present(rows, "rows of a file"),
        pieces: (async function* () {
          for (;;) {
            const { bytes } = await ask({ kind: "next" });
            if (bytes === undefined) return;
            yield bytes;
          }
        })(),
      };
    },
    [Symbol.asyncDispose]: async () => {
      closed = true;
      await thread?.terminate();
    },
  };
}
