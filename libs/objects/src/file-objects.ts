import { mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import {
  codeOf,
  folderIsUrl,
  noSuchFile,
  noSuchObject,
  objectCorrupt,
  objectsError,
} from "./errors.ts";
import {
  type Digest,
  digestOf,
  digestOfFile,
  flushFolder,
  linkFlushed,
  readPieces,
  writeFlushed,
} from "./files.ts";
import { type Folders, foldersOf, lookUp } from "./folders.ts";
import { checkName } from "./name.ts";
import type { Objects } from "./port.ts";
import { type Reference } from "./reference.ts";
import { sweep } from "./sweep.ts";
import { startVerified } from "./verified.ts";
import { infoOf, putObject, putPieces, removeObject } from "./write-object.ts";

export interface FileObjectsOptions {
  /** Folder of the objects; made when it is missing. Several processes may share it. */
  readonly path: string;
}

/** `s3://bucket`, and what is left of it when paths are joined: `/state/s3:/bucket`. */
const urlPart = /(^|\/)[a-z0-9+.-]{2,}:\//i;

/**
 * Objects in a folder: `data` holds the bytes, each under a file name of its own, `names` holds for
 * each name a reference with the digest, `temporary` holds what is under way, by process.
 *
 * A put writes and flushes the bytes, then the reference, then links the reference to its name: that
 * link is the one instant at which the object exists, and the system lets only one writer of a name
 * succeed. What a dead process left is found by its references in `temporary`, and swept when opened.
 *
 * @throws {HeddleError} INVALID_ARGUMENT OBJECTS_FOLDER_INVALID for a URL, also for one that was joined to a path.
 */
export async function openFileObjects(options: FileObjectsOptions): Promise<Objects> {
  if (urlPart.test(options.path)) throw folderIsUrl(options.path);
  const root = resolve(options.path);
  const folders = foldersOf(root);
  try {
    await mkdir(root, { recursive: true });
    await flushFolder(dirname(root));
    for (const folder of [folders.data, folders.names, folders.temporary]) {
      await folders.maker.make(folder);
    }
    await sweep(folders);
  } catch (error) {
    throw objectsError(error, `the object folder ${root}`);
  }
  const verified = startVerified();
  const guard = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    checkName(name);
    try {
      return await work();
    } catch (error) {
      throw objectsError(error, `object ${name} in ${root}`);
    }
  };

  return {
    put: (name, bytes) =>
      guard(name, async () => {
        const digest = await digestOf(bytes);
        const place = (file: string): Promise<void> => writeFlushed(file, bytes);
        return putObject(folders, name, digest, place);
      }),
    putFile: (name, path) =>
      guard(name, async () => {
        const digest = await digestOfFile(path).catch((error: unknown) => {
          throw codeOf(error) === "ENOENT" ? noSuchFile(path, name) : error;
        });
        const place = (file: string): Promise<void> => linkFlushed(path, file);
        const info = await putObject(folders, name, digest, place);
        // Only now, so that a failed put leaves the file to its owner.
        await rm(path);
        return info;
      }),
    putStream: (name, pieces) => guard(name, () => putPieces(folders, name, pieces)),
    stream: (name, expected) => readStream(folders, name, expected, guard),
    get: (name, expected) =>
      guard(name, async () => {
        const reference = await find(folders, name, expected);
        const bytes = await whole(name, () => readFile(join(folders.data, reference.file)));
        check(reference, await digestOf(bytes));
        return bytes;
      }),
    path: (name, expected) =>
      guard(name, async () => {
        const reference = await find(folders, name, expected);
        const path = join(folders.data, reference.file);
        const facts = await whole(name, () => stat(path));
        if (!verified.has(reference, facts)) {
          check(reference, await digestOfFile(path));
          verified.add(reference, facts);
        }
        return path;
      }),
    head: (name) => guard(name, async () => infoOf(await lookUp(folders, name))),
    list: (prefix) => listNames(folders.names, prefix),
    delete: (name) => guard(name, () => removeObject(folders, name)),
  };
}

async function* readStream(
  folders: Folders,
  name: string,
  expected: string | undefined,
  guard: <T>(name: string, work: () => Promise<T>) => Promise<T>,
): AsyncGenerator<Uint8Array> {
  const reference = await guard(name, () => find(folders, name, expected));
  const path = join(folders.data, reference.file);
  const pieces = readPieces(path, (digest) => check(reference, digest));
  try {
    for (;;) {
      const next = await guard(name, () => whole(name, () => pieces.next()));
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    // Whoever stops early leaves no file open.
    await pieces.return(undefined);
  }
}

async function find(folders: Folders, name: string, expected?: string): Promise<Reference> {
  const reference = await lookUp(folders, name);
  if (reference === undefined) throw noSuchObject(name);
  if (expected !== undefined && expected !== reference.sha256) {
    throw objectCorrupt(name, `${expected} was expected, ${reference.sha256} is stored`);
  }
  return reference;
}

function check(reference: Reference, found: Digest): void {
  if (found.sha256 === reference.sha256 && found.bytes === reference.bytes) return;
  throw objectCorrupt(
    reference.name,
    `${reference.bytes} bytes with SHA-256 ${reference.sha256} were stored, ${found.bytes} with ${found.sha256} are there`,
  );
}

/** A reference without its bytes is a loss, not an absence. */
async function whole<T>(name: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (codeOf(error) === "ENOENT") throw objectCorrupt(name, "its file is missing");
    throw error;
  }
}

async function listNames(names: string, prefix: string): Promise<readonly string[]> {
  const folder = prefix.slice(0, prefix.lastIndexOf("/") + 1);
  const found: string[] = [];
  if (folder !== "") checkName(folder.slice(0, -1));
  let entries;
  try {
    entries = await readdir(join(names, folder), { recursive: true, withFileTypes: true });
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return [];
    throw objectsError(error, `the objects under ${prefix}`);
  }
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const name = join(entry.parentPath, entry.name).slice(names.length + 1, -1);
    if (name.startsWith(prefix)) found.push(name);
  }
  return found.sort();
}
