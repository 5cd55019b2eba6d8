import { existsSync, lstatSync, readdirSync, type Stats } from "node:fs";
import { join, relative } from "node:path";

/** The system counts blocks of so many bytes, whatever those of the disk are. */
const blockBytes = 512;
const onDisk = ({ blocks }: Stats): number => blocks * blockBytes;
const inLength = ({ size }: Stats): number => size;

/** Bytes that a folder takes on disk, with all that lies in it; a file with several names counts once. */
export const diskBytes = (folder: string): number => sum(folder, onDisk);

/** Lengths of the files in a folder: they grow by each byte that is written, and not by a block at a time. */
export const lengthBytes = (folder: string): number => sum(folder, inLength);

/** A package as it lies in a folder of modules. */
export interface Installed {
  /** Its name; of one within another package, the path to it. */
  readonly name: string;
  /** On disk, without the packages in it. */
  readonly bytes: number;
}

/** The packages below a `node_modules`, largest first. Links to projects of a workspace are none. */
export function packagesIn(modules: string): readonly Installed[] {
  const found = packageFolders(modules).map((folder) => ({
    name: relative(modules, folder),
    bytes: sum(folder, onDisk, "node_modules"),
  }));
  return found.sort((a, b) => b.bytes - a.bytes);
}

/** What packages take together. */
export const bytesOfAll = (packages: readonly Installed[]): number =>
  packages.reduce((all, { bytes }) => all + bytes, 0);

function packageFolders(modules: string): string[] {
  if (!existsSync(modules)) return [];
  const folders = foldersIn(modules).flatMap((folder) =>
    relative(modules, folder).startsWith("@") ? foldersIn(folder) : [folder],
  );
  return folders.flatMap((folder) => [folder, ...packageFolders(join(folder, "node_modules"))]);
}

/** Without those that begin with a dot: no package does. */
const foldersIn = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
    .map(({ name }) => join(folder, name));

function sum(
  path: string,
  of: (stat: Stats) => number,
  without?: string,
  seen = new Set<number>(),
): number {
  const stat = lstatSync(path);
  if (seen.has(stat.ino)) return 0;
  seen.add(stat.ino);
  const within = stat.isDirectory() ? readdirSync(path).filter((name) => name !== without) : [];
  return within.reduce((all, name) => all + sum(join(path, name), of, without, seen), of(stat));
}
