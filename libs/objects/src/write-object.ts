import { randomUUID } from "node:crypto";
import { link, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { failpoint } from "@heddle/failpoint";
import { codeOf, objectDiffers } from "./errors.ts";
import { type Digest, flushFolder, writeFlushed, writePieces } from "./files.ts";
import { type Folders, lookUp, referencePath } from "./folders.ts";
import type { ObjectInfo } from "./port.ts";
import { type Reference, writeReference } from "./reference.ts";

/**
 * Makes an object, unless its name holds these bytes already.
 *
 * @param place puts the bytes, durable, into a file of that path.
 * @throws {HeddleError} ALREADY_EXISTS OBJECT_DIFFERS when the name holds others.
 */
export const putObject = async (
  folders: Folders,
  name: string,
  digest: Digest,
  place: (file: string) => Promise<void>,
): Promise<ObjectInfo> =>
  (await same(folders, name, digest)) ?? (await store(folders, name, digest, place));

/** As `putObject`, of bytes whose digest is known only at their end. */
export async function putPieces(
  folders: Folders,
  name: string,
  pieces: AsyncIterable<Uint8Array>,
): Promise<ObjectInfo> {
  const temporary = join(folders.temporary, `${process.pid}-${randomUUID()}`);
  const digest = await writePieces(temporary, pieces);
  try {
    const place = (file: string): Promise<void> => rename(temporary, file);
    return await putObject(folders, name, digest, place);
  } finally {
    await rm(temporary, { force: true });
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

/** Takes the name away first: from then on the object does not exist, and what is left of it is swept. */
export async function removeObject(folders: Folders, name: string): Promise<void> {
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

export function infoOf<R extends Reference | undefined>(reference: R): ObjectInfo | (R & undefined);
export function infoOf(reference: Reference | undefined): ObjectInfo | undefined {
  if (reference === undefined) return undefined;
  const { name, bytes, sha256 } = reference;
  return { name, bytes, sha256 };
}
