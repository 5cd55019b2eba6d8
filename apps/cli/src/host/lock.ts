import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { HeddleError } from "@heddle/base";

/**
 * Makes this process the one host of a state folder. The lock is an exclusive transaction on an
 * SQLite file, which the operating system releases when the process dies in whatever way: Node has
 * no file lock of its own, and a lock that outlives its holder would need a person to remove it.
 *
 * @throws {HeddleError} FAILED_PRECONDITION STATE_FOLDER_IN_USE naming the process that holds it.
 */
export function lockStateFolder(folder: string): Disposable {
  mkdirSync(folder, { recursive: true });
  const holder = join(folder, "host.pid");
  const database = new DatabaseSync(join(folder, "host.lock"));
  try {
    database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    const pid = existsSync(holder) ? readFileSync(holder, "utf8") : "unknown";
    throw new HeddleError(
      "FAILED_PRECONDITION",
      "STATE_FOLDER_IN_USE",
      `another heddle host (pid ${pid}) uses ${folder}; commands use that host by themselves, or choose another folder with --state`,
      { metadata: { folder, pid }, cause: error },
    );
  }
  writeFileSync(holder, String(process.pid));
  return { [Symbol.dispose]: () => database.close() };
}
