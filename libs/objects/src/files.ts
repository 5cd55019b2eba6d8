import { constants } from "node:fs";
import { copyFile, link, mkdir, open, rm } from "node:fs/promises";
import { createHash } from "node:crypto";
import { dirname } from "node:path";
import { slicesInTurns } from "@heddle/base";
import { codeOf } from "./errors.ts";

/** Bytes hashed before other work gets its turn: about 5 ms. */
const hashedAtOnceBytes = 4 << 20;
const pieceBytes = 1 << 20;
/** Nobody writes into an object: a stray writer should fail. */
const readOnly = 0o444;

export interface Digest {
  readonly sha256: string;
  readonly bytes: number;
}

export async function digestOf(bytes: Uint8Array): Promise<Digest> {
  const hash = createHash("sha256");
  for await (const slice of slicesInTurns(bytes, hashedAtOnceBytes)) hash.update(slice);
  return { sha256: hash.digest("hex"), bytes: bytes.byteLength };
}

/** SHA-256 of a file's bytes, hexadecimal, and how many they are. */
export async function digestOfFile(path: string): Promise<Digest> {
  const found = Promise.withResolvers<Digest>();
  const pieces = readPieces(path, found.resolve);
  while ((await pieces.next()).done !== true);
  return found.promise;
}

/** Writes a new file and flushes it. Leaves nothing when it fails. */
export async function writeFlushed(path: string, bytes: Uint8Array): Promise<void> {
  try {
    await using file = await open(path, "wx", readOnly);
    await file.writeFile(bytes);
    await file.sync();
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

/** As `writeFlushed`, of bytes that come in pieces. */
export async function writePieces(
  path: string,
  pieces: AsyncIterable<Uint8Array>,
): Promise<Digest> {
  const hash = createHash("sha256");
  let bytes = 0;
  try {
    await using file = await open(path, "wx", readOnly);
    for await (const piece of pieces) {
      hash.update(piece);
      bytes += piece.byteLength;
      await file.writeFile(piece);
    }
    await file.sync();
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
  return { sha256: hash.digest("hex"), bytes };
}

/**
 * A file's bytes in pieces, and what they were when the last was taken. A piece stands until the next one is asked for: the same two
 * pieces of memory hold all of them, for fresh memory costs as much as reading.
 */
export async function* readPieces(
  path: string,
  whole: (digest: Digest) => void,
): AsyncGenerator<Uint8Array> {
  await using file = await open(path, "r");
  const hash = createHash("sha256");
  let bytes = 0;
  let [ahead, behind] = [new Uint8Array(pieceBytes), new Uint8Array(pieceBytes)];
  // The disk reads on while this piece is used.
  let reading = file.read(ahead, 0, pieceBytes);
  try {
    for (;;) {
      const { bytesRead } = await reading;
      if (bytesRead === 0) break;
      [ahead, behind] = [behind, ahead];
      reading = file.read(ahead, 0, pieceBytes);
      const piece = behind.subarray(0, bytesRead);
      hash.update(piece);
      bytes += bytesRead;
      yield piece;
    }
  } finally {
    // Whoever stops early does not close the file under it.
    await reading.catch(() => undefined);
  }
  whole({ sha256: hash.digest("hex"), bytes });
}

/** Gives a file that others wrote a second name, flushed; copies it when it lies on another disk. */
export async function linkFlushed(from: string, to: string): Promise<void> {
  {
    await using file = await open(from, "r");
    await file.chmod(readOnly);
    await file.sync();
  }
  try {
    await link(from, to);
  } catch (error) {
    if (codeOf(error) !== "EXDEV") throw error;
    await copyFlushed(from, to);
  }
}

async function copyFlushed(from: string, to: string): Promise<void> {
  try {
    await copyFile(from, to, constants.COPYFILE_EXCL);
    await using file = await open(to, "r");
    await file.sync();
  } catch (error) {
    await rm(to, { force: true });
    throw error;
  }
}

/** Flushes a folder: a file made or renamed in it survives a power cut only then. */
export async function flushFolder(path: string): Promise<void> {
  await using folder = await open(path, "r");
  await folder.sync();
}

/** Makes folders below a root so that they survive a power cut. */
export interface FolderMaker {
  make(path: string): Promise<void>;
}

const knownFoldersMax = 10_000;

/**
 * A folder that another writer made a moment ago may not be flushed yet, so the first put of this
 * process into a folder flushes what names it, whoever made it, and the others wait for that.
 */
export function startFolderMaker(root: string): FolderMaker {
  const known = new Map<string, Promise<void>>();
  const makeAnew = async (path: string): Promise<void> => {
    await make(dirname(path));
    await mkdir(path).catch((error: unknown) => {
      if (codeOf(error) !== "EEXIST") throw error;
    });
    await flushFolder(dirname(path));
  };
  const make = (path: string): Promise<void> => {
    if (path === root) return Promise.resolve();
    const before = known.get(path);
    if (before !== undefined) return before;
    if (known.size >= knownFoldersMax) known.clear();
    const made = makeAnew(path);
    known.set(path, made);
    made.catch(() => known.delete(path));
    return made;
  };
  return { make };
}
