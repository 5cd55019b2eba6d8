import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { isHeddleError } from "@heddle/base";
import { codeOf } from "./errors.ts";
import { type Folders, lookUp } from "./folders.ts";
import { readReference, type Reference } from "./reference.ts";

/**
 * Removes what dead processes left under way. A file in `temporary` begins with its process's id;
 * a reference there names the data file that its put or delete was about, which goes unless the
 * name refers to it by now.
 */
export async function sweep(folders: Folders): Promise<void> {
  for (const entry of await readdir(folders.temporary)) {
    if (isAlive(Number(entry.split("-")[0]))) continue;
    const path = join(folders.temporary, entry);
    const intent = entry.endsWith(".reference") ? await readIntent(entry, path) : undefined;
    if (intent !== undefined) {
      const current = await lookUp(folders, intent.name);
      if (current?.file !== intent.file) await rm(join(folders.data, intent.file), { force: true });
    }
    await rm(path, { force: true });
  }
}

async function readIntent(entry: string, path: string): Promise<Reference | undefined> {
  try {
    return readReference(entry, await readFile(path));
  } catch (error) {
    // Torn before its flush: its data file was not moved yet. Or swept by another process meanwhile.
    if (isHeddleError(error, "OBJECT_CORRUPT") || codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

export function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return codeOf(error) === "EPERM";
  }
}
