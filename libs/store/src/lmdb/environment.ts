import { closeSync, fsyncSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { assert, HeddleError, isHeddleError } from "@heddle/base";
import { ABORT, type Database, open, type RootDatabase } from "lmdb";
import { storeBusy, storeError, storeFull } from "../errors.ts";
import { checkDataFile } from "./data-file.ts";

/** A named database of an environment: byte keys in byte order, byte values. */
export type LmdbDatabase = Database<Buffer, Buffer>;

export interface LmdbOptions {
  /** Folder of the environment; made when it is missing. */
  readonly path: string;
  /** Bytes that live pages may fill; fragmentation may take the file a little further. */
  readonly mapBytesMax: number;
}

/** One LMDB environment: the only thing that opens these files, shared by store, event log and online values. */
export interface LmdbEnvironment {
  readonly path: string;
  /** The named database, made when it is missing. Never call it inside `write`. */
  database(name: string): LmdbDatabase;
  /**
   * Runs `change` inside the next write transaction, on this thread, and resolves with what it
   * returned once that transaction is on the disk. Concurrent writes share one transaction and one
   * flush. `change` is synchronous, reads what it needs, throws a HeddleError *before* its first
   * put or remove to refuse, and may run again when its group was rolled back.
   *
   * @param bytes what the change may add; 0 for a removal, which a full map must still allow.
   * @throws {HeddleError} RESOURCE_EXHAUSTED STORE_FULL when the disk or the map is full; nothing is written.
   * @throws {HeddleError} RESOURCE_EXHAUSTED STORE_BUSY when `queuedWritesMax` writes wait.
   * @throws {HeddleError} UNAVAILABLE STORE_FAILED when the disk refused the commit; nothing is written.
   */
  write<T>(bytes: number, change: () => T): Promise<T>;
  [Symbol.asyncDispose](): Promise<void>;
}

export const queuedWritesMax = 10_000;
/** A group's changes run on the main thread, so its size bounds how long the event loop stands. */
const groupWritesMax = 256;
const groupBytesMax = 8 << 20;
const databasesMax = 512;

interface Write {
  readonly bytes: number;
  readonly change: () => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Opens an environment whose commits are synchronous: LMDB writes the pages, flushes them, then
 * writes its meta page through a descriptor opened with O_DSYNC, and only then does a write resolve.
 *
 * @throws {HeddleError} DATA_LOSS STORE_DAMAGED, before anything is changed.
 */
export function openLmdbEnvironment(options: LmdbOptions): LmdbEnvironment {
  const { path, mapBytesMax } = options;
  mkdirSync(path, { recursive: true });
  checkDataFile(path);
  const root = openRoot(path, mapBytesMax);
  flushFolder(path);
  flushFolder(dirname(path));
  const databases = new Map<string, LmdbDatabase>();
  const database = (name: string): LmdbDatabase => {
    const known = databases.get(name);
    if (known !== undefined) return known;
    const opened = root.openDB<Buffer, Buffer>({ name, encoding: "binary", keyEncoding: "binary" });
    databases.set(name, opened);
    return opened;
  };
  // Opened now so that the count of live pages knows every database in the file.
  for (const name of [...root.getKeys()]) database(name);
  const queue = startQueue(root, path, (bytes) => fits(root, databases, mapBytesMax, bytes));
  let closing: Promise<void> | undefined;
  return {
    path,
    database,
    write: queue.write,
    [Symbol.asyncDispose]: () => (closing ??= queue.close().then(() => root.close())),
  };
}

function openRoot(path: string, mapBytesMax: number): RootDatabase<Buffer, string> {
  try {
    return open<Buffer, string>({
      path,
      noSubdir: false,
      mapSize: mapBytesMax,
      maxDbs: databasesMax,
      // With it, a write would resolve when it is visible, before it is on the disk.
      overlappingSync: false,
      // Our groups are its batches. With it, each batch has a promise that nobody sees, and a commit that a full disk refuses would
      // end the process.
      eventTurnBatching: false,
      encoding: "binary",
    });
  } catch (error) {
    throw storeError(error, path, 0);
  }
}

/** A new file survives a power cut only when the folder that names it was flushed, too. */
function flushFolder(path: string): void {
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** Whether `bytes` more fit: the file is below its limit, or enough of its pages are free. */
function fits(
  root: RootDatabase<Buffer, string>,
  databases: ReadonlyMap<string, LmdbDatabase>,
  mapBytesMax: number,
  bytes: number,
): boolean {
  const { pageSize, lastPageNumber } = root.getStats() as LmdbStats;
  if ((lastPageNumber + 1) * pageSize + bytes <= mapBytesMax) return true;
  let pages = 0;
  for (const database of databases.values()) {
    const stats = database.getStats() as LmdbStats;
    pages += stats.treeBranchPageCount + stats.treeLeafPageCount + stats.overflowPages;
  }
  return pages * pageSize + bytes <= mapBytesMax;
}

interface LmdbStats {
  readonly pageSize: number;
  readonly lastPageNumber: number;
  readonly treeBranchPageCount: number;
  readonly treeLeafPageCount: number;
  readonly overflowPages: number;
}

/** Collects writes while a commit runs, so that the next commit carries all of them. */
function startQueue(
  root: RootDatabase<Buffer, string>,
  path: string,
  room: (bytes: number) => boolean,
): { write: LmdbEnvironment["write"]; close(): Promise<void> } {
  let waiting: Write[] = [];
  let running: Promise<void> | undefined;
  let closed = false;

  const drain = async (): Promise<void> => {
    while (waiting.length > 0) {
      const group = takeGroup(waiting);
      waiting = waiting.slice(group.length);
      const again = await commit(
        root,
        path,
        group.filter((write) => admit(write, room, path)),
      );
      waiting = [...again, ...waiting];
    }
    running = undefined;
  };

  return {
    write: <T>(bytes: number, change: () => T) =>
      new Promise<T>((resolve, reject) => {
        if (closed) {
          throw new HeddleError("UNAVAILABLE", "STORE_CLOSED", `the store in ${path} is closed`);
        }
        if (waiting.length >= queuedWritesMax) throw storeBusy(path, queuedWritesMax);
        waiting.push({ bytes, change, resolve: resolve as (value: unknown) => void, reject });
        // A turn later, so that writes of one turn share a group.
        running ??= Promise.resolve().then(drain);
      }),
    close: async () => {
      closed = true;
      await running;
      assert(waiting.length === 0, "a closed write queue is empty");
    },
  };
}

function takeGroup(waiting: readonly Write[]): Write[] {
  let bytes = 0;
  let count = 0;
  for (const write of waiting) {
    bytes += write.bytes;
    if (count > 0 && (count === groupWritesMax || bytes > groupBytesMax)) break;
    count += 1;
  }
  return waiting.slice(0, count);
}

function admit(write: Write, room: (bytes: number) => boolean, path: string): boolean {
  if (write.bytes === 0 || room(write.bytes)) return true;
  write.reject(storeFull(path));
  return false;
}

/** Commits a group. Returns the writes to run again because another one's failure rolled them back. */
async function commit(
  root: RootDatabase<Buffer, string>,
  path: string,
  group: readonly Write[],
): Promise<readonly Write[]> {
  const answers: (() => void)[] = [];
  let broken: { readonly write: Write; readonly error: unknown } | undefined;
  try {
    await root.childTransaction(() => {
      for (const write of group) {
        try {
          const value = write.change();
          answers.push(() => write.resolve(value));
        } catch (error) {
          if (isHeddleError(error)) {
            answers.push(() => write.reject(error));
          } else {
            // It may have written a part: nothing of this transaction may stay.
            broken = { write, error };
            return ABORT;
          }
        }
      }
      return undefined;
    });
  } catch (error) {
    const bytes = group.reduce((sum, write) => sum + write.bytes, 0);
    const failure = storeError(await causeOf(error), path, bytes);
    for (const write of group) write.reject(failure);
    return [];
  }
  if (broken !== undefined) {
    const { write, error } = broken as { write: Write; error: unknown };
    write.reject(storeError(error, path, write.bytes));
    return group.filter((other) => other !== write);
  }
  assert(answers.length === group.length, "each write of a committed group has its answer");
  for (const answer of answers) answer();
  return [];
}

/** lmdb-js puts the reason of a failed commit into a promise that always rejects. */
async function causeOf(error: unknown): Promise<unknown> {
  const reason = (error as { commitError?: Promise<unknown> }).commitError;
  if (reason === undefined) return error;
  return reason.then(
    () => error,
    (cause: unknown) => cause,
  );
}
