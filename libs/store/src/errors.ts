import { statfsSync } from "node:fs";
import { HeddleError, messageOf } from "@heddle/base";

/** Errno of "no space", "file too large" and "quota exceeded"; LMDB's own "map full". */
const fullCodes: readonly unknown[] = [28, 27, 122, -30792];
/** LMDB reports a write cut short by a full disk as an input/output error. */
const ioErrorCode = 5;
const spareBytes = 1 << 20;

/** What an error of LMDB means to a caller; `bytes` is what the failed write tried to add. */
export function storeError(error: unknown, path: string, bytes: number): HeddleError {
  const code = (error as { code?: unknown }).code;
  const full =
    fullCodes.includes(code) || (code === ioErrorCode && freeBytes(path) < bytes + spareBytes);
  if (full) return storeFull(path, error);
  return new HeddleError(
    "UNAVAILABLE",
    "STORE_FAILED",
    `the store in ${path} could not read or write its files (${messageOf(error)}); check the disk, then retry`,
    { cause: error },
  );
}

export function storeFull(path: string, cause?: unknown): HeddleError {
  return new HeddleError(
    "RESOURCE_EXHAUSTED",
    "STORE_FULL",
    `the store in ${path} is full: free space on its disk or raise mapBytesMax, then retry`,
    { metadata: { path }, cause },
  );
}

export function storeBusy(path: string, queuedWritesMax: number): HeddleError {
  return new HeddleError(
    "RESOURCE_EXHAUSTED",
    "STORE_BUSY",
    `${queuedWritesMax} writes wait for the store in ${path}; retry in 100 ms`,
    { metadata: { retryMs: "100" } },
  );
}

/** @param found absent where finding out would cost another question to a server. */
export function revisionConflict(place: string, expected: number, found?: number): HeddleError {
  const where =
    found === undefined
      ? `not at revision ${expected} any more`
      : `at revision ${found}, not ${expected}`;
  return new HeddleError(
    "ABORTED",
    "REVISION_CONFLICT",
    `${place} is ${where}: read it again and redo the change`,
    { metadata: { expected: String(expected) } },
  );
}

export function recordCorrupt(place: string): HeddleError {
  return new HeddleError(
    "DATA_LOSS",
    "RECORD_CORRUPT",
    `${place} does not have the checksum it was written with: restore it from a backup`,
  );
}

function freeBytes(path: string): number {
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize;
}
