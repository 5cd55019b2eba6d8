import { randomUUID } from "node:crypto";
import { chmod, mkdir, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { basename, join } from "node:path";
import { HeddleError } from "@heddle/base";
import { codeOf, objectsError } from "../errors.ts";
import { digestOfFile, writePieces } from "../files.ts";
import type { ObjectInfo } from "../port.ts";
import { isAlive } from "../sweep.ts";
import { startVerified } from "../verified.ts";

export interface CopiesOptions {
  /** Of this machine; several processes may share it. */
  readonly folder: string;
  readonly bytesMax: number;
  /** A copy that was asked for within this time stays where it is. */
  readonly keptMs: number;
  /** Wall time in milliseconds. */
  readonly now: () => number;
}

/** Copies of objects in a folder, named by their content, for programs that read files. */
export interface Copies {
  /** A checked copy's path; `pieces` are asked for when there is none. */
  pathOf(info: ObjectInfo, pieces: () => AsyncIterable<Uint8Array>): Promise<string>;
  remove(info: ObjectInfo): Promise<void>;
}

const temporary = "temporary-";
/** Of a name, so that with its digest it fits into a file name. */
const baseCharactersMax = 180;

export function openCopies(options: CopiesOptions): Copies {
  const verified = startVerified();
  const underWay = new Map<string, Promise<string>>();
  // The object's own ending stays at the end, for programs that go by it.
  const pathFor = ({ name, sha256 }: ObjectInfo): string =>
    join(options.folder, `${sha256.slice(0, 32)}-${basename(name).slice(-baseCharactersMax)}`);

  const provide = async (
    path: string,
    info: ObjectInfo,
    pieces: () => AsyncIterable<Uint8Array>,
  ): Promise<string> => {
    try {
      if (!(await isWhole(path, info))) await fetchCopy(options, path, info, pieces());
      const facts = await stat(path);
      verified.add({ ...info, file: path }, facts);
      await utimes(path, options.now() / 1_000, facts.mtimeMs / 1_000);
      // It is compared by its time to the microsecond, which the line above may have rounded.
      verified.add({ ...info, file: path }, await stat(path));
      return path;
    } catch (error) {
      throw objectsError(error, `the copy of object ${info.name} in ${options.folder}`);
    }
  };
  const isWhole = async (path: string, info: ObjectInfo): Promise<boolean> => {
    const facts = await stat(path).catch(absent);
    if (facts === undefined) return false;
    if (verified.has({ ...info, file: path }, facts)) return true;
    const found = await digestOfFile(path).catch(absent);
    if (found?.sha256 === info.sha256) return true;
    // A copy is no loss.
    await rm(path, { force: true });
    return false;
  };

  return {
    pathOf: (info, pieces) => {
      const path = pathFor(info);
      const before = underWay.get(path);
      if (before !== undefined) return before;
      const provided = provide(path, info, pieces).finally(() => underWay.delete(path));
      underWay.set(path, provided);
      return provided;
    },
    remove: (info) => rm(pathFor(info), { force: true }),
  };
}

async function fetchCopy(
  options: CopiesOptions,
  path: string,
  info: ObjectInfo,
  pieces: AsyncIterable<Uint8Array>,
): Promise<void> {
  await mkdir(options.folder, { recursive: true });
  // Other users of this machine have no business with them.
  await chmod(options.folder, 0o700);
  await makeRoom(options, info);
  const file = join(options.folder, `${temporary}${process.pid}-${randomUUID()}`);
  await writePieces(file, pieces);
  await rename(file, path);
}

/** Removes the copies that were asked for longest ago, until another fits. */
async function makeRoom({ folder, bytesMax, keptMs, now }: CopiesOptions, info: ObjectInfo) {
  const copies: { readonly path: string; readonly bytes: number; readonly askedMs: number }[] = [];
  let bytes = info.bytes;
  for (const entry of await readdir(folder)) {
    const path = join(folder, entry);
    if (entry.startsWith(temporary) && !isAlive(Number(entry.split("-")[1]))) {
      await rm(path, { force: true });
      continue;
    }
    const facts = await stat(path).catch(absent);
    if (facts === undefined) continue;
    bytes += facts.size;
    if (!entry.startsWith(temporary))
      copies.push({ path, bytes: facts.size, askedMs: facts.atimeMs });
  }
  for (const copy of copies.sort((a, b) => a.askedMs - b.askedMs)) {
    if (bytes <= bytesMax || copy.askedMs > now() - keptMs) break;
    await rm(copy.path, { force: true });
    bytes -= copy.bytes;
  }
  if (bytes <= bytesMax) return;
  throw new HeddleError(
    "RESOURCE_EXHAUSTED",
    "OBJECTS_CACHE_FULL",
    `there is no room for a copy of object ${info.name} (${info.bytes} bytes) in ${folder}, which holds ${bytesMax} bytes at most: raise cacheBytesMax= in HEDDLE_OBJECTS_URL, or name a larger disk's folder as cache=`,
  );
}

function absent(error: unknown): undefined {
  if (codeOf(error) !== "ENOENT") throw error;
}
