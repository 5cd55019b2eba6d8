// Folders in which nobody finds anything any more: so many files side by side that only the imports say which belong together.
import { existsSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { sources } from "./layers.ts";

/** A folder with more files of product code than this is divided by behaviour. */
const filesMax = 20;

/** Folders under `root` with too many files side by side, in words; tests and their fixtures do not count. */
export function crowdedFolders(root: string): string[] {
  const counts = new Map<string, number>();
  for (const group of ["libs", "apps"]) {
    const folder = join(root, group);
    for (const file of existsSync(folder) ? sources(folder).filter(isProduct) : []) {
      counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1);
    }
  }
  return [...counts]
    .filter(([, count]) => count > filesMax)
    .map(([folder, count]) => `${relative(root, folder)} has ${count} files, above ${filesMax}`);
}

const isProduct = (file: string): boolean =>
  !file.includes("/fixtures/") &&
  !file.includes("/node_modules/") &&
  !/\.(test|production)\.ts$|\bcontract\.ts$/.test(basename(file));
