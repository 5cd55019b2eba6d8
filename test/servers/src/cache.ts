import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as wait } from "node:timers/promises";

/** How a server is made: downloaded, compiled, or both. */
export interface Recipe {
  readonly name: string;
  readonly version: string;
  /** All that the result depends on: the texts of its files and its commands. Another text is another build. */
  readonly parts: readonly string[];
  /** Fills an empty folder; may fail or be killed at any instant. */
  readonly build: (folder: string) => Promise<void>;
}

const lockPollMs = 200;

/** Outside of any checkout, so that a fresh clone finds what was built before. */
function serversFolder(): string {
  return process.env["HEDDLE_SERVERS_DIR"] ?? join(homedir(), ".cache/heddle/servers");
}

/** Where what a recipe makes lies, once it is made. */
export function folderOf(recipe: Recipe, root = serversFolder()): string {
  return join(root, keyOf(recipe));
}

function keyOf({ name, version, parts }: Recipe): string {
  const hash = createHash("sha256").update(JSON.stringify(parts)).digest("hex");
  return `${name}-${version}-${hash.slice(0, 12)}`;
}

/**
 * The folder of what a recipe makes; builds it when nobody did before. A build happens in a folder of its own, which is renamed when it
 * is whole: one that is killed leaves nothing that looks like a server. Of several builders one builds and the others wait for it.
 */
export async function built(recipe: Recipe, root = serversFolder()): Promise<string> {
  const key = keyOf(recipe);
  const folder = folderOf(recipe, root);
  if (existsSync(folder)) return folder;
  await mkdir(root, { recursive: true });
  using _lock = await lock(join(root, `${key}.lock`));
  if (existsSync(folder)) return folder;
  // We hold the lock: whoever began these is dead.
  const unfinished = `${key}.building-`;
  for (const entry of await readdir(root)) {
    if (entry.startsWith(unfinished)) await rm(join(root, entry), { recursive: true });
  }
  const temporary = await mkdtemp(join(root, unfinished));
  try {
    await recipe.build(temporary);
    await rename(temporary, folder);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  return folder;
}

/** As the host's lock of a state folder: an SQLite transaction, which ends with its process in whatever way that dies. */
async function lock(path: string): Promise<Disposable> {
  for (;;) {
    const database = new DatabaseSync(path);
    try {
      database.exec(
        "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE",
      );
      return { [Symbol.dispose]: () => database.close() };
    } catch (error) {
      database.close();
      if (!/locked|busy/i.test(String(error))) throw error;
      await wait(lockPollMs);
    }
  }
}
