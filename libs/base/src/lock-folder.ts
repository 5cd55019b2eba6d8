import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { HeddleError } from "./error.ts";

/**
 * Makes this process the one user of a folder. The lock is an exclusive transaction on an SQLite file, which the operating system
 * releases when the process dies in whatever way: Node has no file lock of its own, and a lock that outlives its holder would need a
 * person to remove it.
 *
 * @param name of the lock's files: `<name>.lock`, and `<name>.pid` with the process that holds it.
 * @param inUse what to throw when another process holds it.
 */
export function lockFolder(
  folder: string,
  name: string,
  inUse: (pid: string, cause: unknown) => HeddleError,
): Disposable {
  mkdirSync(folder, { recursive: true });
  const holder = join(folder, `${name}.pid`);
  const database = new DatabaseSync(join(folder, `${name}.lock`));
  try {
    database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    throw inUse(existsSync(holder) ? readFileSync(holder, "utf8") : "unknown", error);
  }
  writeFileSync(holder, String(process.pid));
  return { [Symbol.dispose]: () => database.close() };
}
