import { failpoint } from "@heddle/failpoint";
import type { Objects } from "@heddle/objects";

/** Where a run keeps its cuts. */
export const prefixOf = (run: string, step: number, folder?: string): string =>
  `${folderOf(run)}${step}${folder === undefined ? "" : `/${folder}`}`;
const folderOf = (run: string): string => `runs/${run}/snapshots/`;

/**
 * Deletes what no attempt and no version needs any more: once a snapshot is recorded, all files of its run's cuts up to it, but
 * for its manifest and the files that it names. Whoever is killed meanwhile leaves the rest to the next snapshot or attempt.
 *
 * @param needed names of the manifest and its files.
 */
export async function deleteOlder(
  objects: Objects,
  run: string,
  step: number,
  needed: readonly string[],
): Promise<void> {
  const folder = folderOf(run);
  const keep = new Set(needed);
  for (const name of await objects.list(folder)) {
    const [at] = name.slice(folder.length).split("/");
    if (keep.has(name) || !(Number(at) <= step)) continue;
    await objects.delete(name);
    failpoint("learner.snapshot.after-delete");
  }
}
