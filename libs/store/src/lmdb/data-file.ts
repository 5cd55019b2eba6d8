import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { HeddleError } from "@heddle/base";

/**
 * Where a meta page has what, in bytes from its beginning; all little-endian.
 *
 * @source `MDB_page_header` and `MDB_meta` in `mdb.c` of lmdb-js 3.5.
 */
const at = { flags: 18, magic: 24, version: 28, pageSize: 48, roots: [88, 136] as const };
const metaBytes = 168;
const metaFlag = 0x08;
const magic = 0xbeefc0de;
const version = 2;
const noPage = 2n ** 64n - 1n;

/**
 * Looks at the two pages from which LMDB finds all others, for it follows them without a look, and garbage ends the process instead of an
 * error. What lies further inside has its checksums, in the records.
 *
 * @throws {HeddleError} DATA_LOSS STORE_DAMAGED.
 */
export function checkDataFile(folder: string): void {
  const path = join(folder, "data.mdb");
  const file = openIfThere(path);
  if (file === undefined) return;
  try {
    const { size } = fstatSync(file);
    // Made, and not written to.
    if (size === 0) return;
    const first = metaAt(file, 0, path);
    const pageSize = first.readUInt32LE(at.pageSize);
    const isPowerOfTwo = (pageSize & (pageSize - 1)) === 0;
    if (pageSize < metaBytes || pageSize > 1 << 16 || !isPowerOfTwo) throw damaged(path);
    const second = metaAt(file, pageSize, path);
    if (second.readUInt32LE(at.pageSize) !== pageSize) throw damaged(path);
    const roots = [first, second].flatMap((meta) =>
      at.roots.map((root) => meta.readBigUInt64LE(root)),
    );
    const pages = BigInt(Math.floor(size / pageSize));
    if (roots.some((root) => root !== noPage && root >= pages)) throw damaged(path);
  } finally {
    closeSync(file);
  }
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function metaAt(file: number, position: number, path: string): Buffer {
  const page = Buffer.alloc(metaBytes);
  const isWhole = readSync(file, page, 0, metaBytes, position) === metaBytes;
  const isMeta =
    (page.readUInt16LE(at.flags) & metaFlag) !== 0 &&
    page.readUInt32LE(at.magic) === magic &&
    (page.readUInt32LE(at.version) & 0xffff) === version;
  if (!isWhole || !isMeta) throw damaged(path);
  return page;
}

function damaged(path: string): HeddleError {
  return new HeddleError(
    "DATA_LOSS",
    "STORE_DAMAGED",
    `${path} is no store of ours, or is damaged: put the folder's copy from a backup there; one named online, which only repeats what is in Kafka, may be removed instead; nothing was changed`,
    { metadata: { path } },
  );
}
