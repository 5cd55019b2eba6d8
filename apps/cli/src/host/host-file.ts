import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Addresses } from "./clients.ts";

/** Where a running host can be reached; written when all its services take calls. */
export interface HostFile {
  readonly pid: number;
  readonly addresses: Addresses;
  /** Where its objects lie: a folder, or an `s3://` URL. */
  readonly objects: string;
}

/** With the inode of the file itself, which a copy does not have; a file that was written by hand names none. */
interface Written extends HostFile {
  readonly ino?: number;
}

const fileOf = (state: string): string => join(state, "host.json");

export function writeHostFile(state: string, host: HostFile): Disposable {
  writeFileSync(`${fileOf(state)}.new`, "");
  const { ino } = statSync(`${fileOf(state)}.new`);
  writeFileSync(`${fileOf(state)}.new`, JSON.stringify({ ...host, ino }, null, 2));
  renameSync(`${fileOf(state)}.new`, fileOf(state));
  return {
    [Symbol.dispose]: () => {
      rmSync(fileOf(state), { force: true });
    },
  };
}

/**
 * What a host wrote, if one did; it may have died since. What was copied with its folder counts as none: it leads to the host of the
 * folder it was copied from.
 */
export function readHostFile(state: string): HostFile | undefined {
  try {
    const file = JSON.parse(readFileSync(fileOf(state), "utf8")) as Written;
    const copied = file.ino !== undefined && file.ino !== statSync(fileOf(state)).ino;
    return copied ? undefined : file;
  } catch {
    return undefined;
  }
}
