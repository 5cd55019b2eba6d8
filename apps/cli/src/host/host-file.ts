import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Addresses } from "./clients.ts";

/** Where a running host can be reached; written when all its services take calls. */
export interface HostFile {
  readonly pid: number;
  readonly addresses: Addresses;
  /** Where its objects lie: a folder, or an `s3://` URL. */
  readonly objects: string;
}

const fileOf = (state: string): string => join(state, "host.json");

export function writeHostFile(state: string, host: HostFile): Disposable {
  writeFileSync(`${fileOf(state)}.new`, JSON.stringify(host, null, 2));
  renameSync(`${fileOf(state)}.new`, fileOf(state));
  return {
    [Symbol.dispose]: () => {
      rmSync(fileOf(state), { force: true });
    },
  };
}

/** What a host wrote, if one did; it may have died since. */
export function readHostFile(state: string): HostFile | undefined {
  try {
    return JSON.parse(readFileSync(fileOf(state), "utf8")) as HostFile;
  } catch {
    return undefined;
  }
}
