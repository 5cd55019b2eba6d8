import { randomUUID } from "node:crypto";
import { link, mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { failpoint } from "@heddle/failpoint";
import {
  codeOf,
  folderIsUrl,
  noSuchFile,
  noSuchObject,
  objectCorrupt,
  objectDiffers,
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
  writePieces,
} from "./files.ts";
import { type Folders, foldersOf, lookUp, referencePath } from "./folders.ts";
import { checkName } from "./name.ts";
import type { ObjectInfo, Objects } from "./port.ts";
import { type Reference, writeReference } from "./reference.ts";
import { sweep } from "./sweep.ts";
import { startVerified } from "./verified.ts";

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
        return (await same(folders, name, digest)) ?? store(folders, name, digest, place);
      }),
    putFile: (name, path) =>
      guard(name, async () => {
        const digest = await digestOfFile(path).catch((error: unknown) => {
          throw codeOf(error) === "ENOENT" ? noSuchFile(path, name) : error;
        });
        const place = (file: string): Promise<void> => linkFlushed(path, file);
        const info =
          (await same(folders, name, digest)) ?? (await store(folders, name, digest, place));
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
    delete: (name) => guard(name, () => remove(folders, name)),
  };
}

async function putPieces(
  folders: Folders,
  name: string,
  pieces: AsyncIterable<Uint8Array>,
): Promise<ObjectInfo> {
  const temporary = join(folders.temporary, `${process.pid}-${randomUUID()}`);
  const digest = await writePieces(temporary, pieces);
  try {
    const place = (file: string): Promise<void> => rename(temporary, file);
    return (await same(folders, name, digest)) ?? (await store(folders, name, digest, place));
  } finally {
    await rm(temporary, { force: true });
  }
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

/** The object, when the name holds these bytes already; flushed, for its writer may not be done yet. */
async function same(
  folders: Folders,
  name: string,
  digest: Digest,
): Promise<ObjectInfo | undefined> {
  const known = await lookUp(folders, name);
  if (known === undefined) return undefined;
  if (known.sha256 !== digest.sha256) throw objectDiffers(name, known.sha256, digest.sha256);
  const folder = dirname(referencePath(folders, name));
  await folders.maker.make(folder);
  await flushFolder(folder);
  return infoOf(known);
}

async function find(folders: Folders, name: string, expected?: string): Promise<Reference> {
  const reference = await lookUp(folders, name);
  if (reference === undefined) throw noSuchObject(name);
  if (expected !== undefined && expected !== reference.sha256) {
    throw objectCorrupt(name, `${expected} was expected, ${reference.sha256} is stored`);
  }
  return reference;
}

async function store(
  folders: Folders,
  name: string,
  digest: Digest,
  place: (file: string) => Promise<void>,
): Promise<ObjectInfo> {
  const unique = randomUUID();
  const temporary = join(folders.temporary, `${process.pid}-${unique}`);
  const intent = `${temporary}.reference`;
  // The object's own ending stays at the end, for programs that go by it.
  const file = join(dirname(name), `${unique}#${basename(name)}`);
  const reference: Reference = { name, ...digest, file };
  const data = join(folders.data, file);
  try {
    await place(temporary);
    failpoint("objects.put.after-temporary");
    await writeFlushed(intent, writeReference(reference));
    await folders.maker.make(dirname(data));
    await rename(temporary, data);
    await flushFolder(dirname(data));
    failpoint("objects.put.after-data");
    await folders.maker.make(dirname(referencePath(folders, name)));
    await link(intent, referencePath(folders, name));
    failpoint("objects.put.after-name");
  } catch (error) {
    await Promise.all([temporary, data, intent].map((path) => rm(path, { force: true })));
    const known = codeOf(error) === "EEXIST" ? await same(folders, name, digest) : undefined;
    if (known !== undefined) return known;
    throw error;
  }
  await flushFolder(dirname(referencePath(folders, name)));
  await rm(intent);
  return infoOf(reference);
}

async function remove(folders: Folders, name: string): Promise<void> {
  const reference = await lookUp(folders, name);
  if (reference === undefined) return;
  const intent = join(folders.temporary, `${process.pid}-${randomUUID()}.reference`);
  await writeFlushed(intent, writeReference(reference));
  await rm(referencePath(folders, name), { force: true });
  await flushFolder(dirname(referencePath(folders, name)));
  failpoint("objects.delete.after-name");
  await rm(join(folders.data, reference.file), { force: true });
  await rm(intent);
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

function infoOf<R extends Reference | undefined>(reference: R): ObjectInfo | (R & undefined);
function infoOf(reference: Reference | undefined): ObjectInfo | undefined {
  if (reference === undefined) return undefined;
  const { name, bytes, sha256 } = reference;
  return { name, bytes, sha256 };
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
