import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import type { Digest } from "../../files.ts";

/** A part of an object that is uploaded in parts; its memory is used again after `release`. */
export interface Part {
  readonly bytes: Uint8Array;
  release(): void;
}

/** Memory of uploads: so many pieces of so many bytes and no more. */
export interface PartMemory {
  readonly partBytes: number;
  take(): Promise<Uint8Array>;
  giveBack(memory: Uint8Array): void;
}

export function openPartMemory(partBytes: number, count: number): PartMemory {
  const free: Uint8Array[] = [];
  const waiting: ((memory: Uint8Array) => void)[] = [];
  let made = 0;
  return {
    partBytes,
    take: () => {
      const memory = free.pop();
      if (memory !== undefined) return Promise.resolve(memory);
      if (made === count) return new Promise((resolve) => waiting.push(resolve));
      made += 1;
      return Promise.resolve(new Uint8Array(partBytes));
    },
    giveBack: (memory) => {
      const next = waiting.shift();
      if (next === undefined) free.push(memory);
      else next(memory);
    },
  };
}

/** Parts of bytes that are all here: views, no copies. */
export async function* partsOfBytes(bytes: Uint8Array, partBytes: number): AsyncGenerator<Part> {
  for (let at = 0; at < bytes.byteLength; at += partBytes) {
    yield { bytes: bytes.subarray(at, at + partBytes), release: () => undefined };
  }
}

export async function* partsOfFile(path: string, memory: PartMemory): AsyncGenerator<Part> {
  await using file = await open(path, "r");
  for (;;) {
    const into = await memory.take();
    let filled = 0;
    while (filled < into.byteLength) {
      const { bytesRead } = await file.read(into, filled, into.byteLength - filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    if (filled > 0) yield { bytes: into.subarray(0, filled), release: () => memory.giveBack(into) };
    else memory.giveBack(into);
    if (filled < into.byteLength) return;
  }
}

/**
 * Parts of bytes that come in pieces of any size, each used again by whoever gives it; the last part may be empty only when there
 * was nothing at all.
 *
 * @param whole gets the digest of all before the last part is given.
 */
export async function* partsOfPieces(
  pieces: AsyncIterable<Uint8Array>,
  memory: PartMemory,
  whole: (digest: Digest) => void,
): AsyncGenerator<Part & { readonly last: boolean }, void> {
  const hash = createHash("sha256");
  let [into, filled, bytes] = [await memory.take(), 0, 0];
  try {
    for await (const piece of pieces) {
      hash.update(piece);
      bytes += piece.byteLength;
      for (let at = 0; at < piece.byteLength;) {
        // Only when more is to come, so that the last part is full or not, but never empty.
        if (filled === into.byteLength) {
          const full = into;
          yield { bytes: full, release: () => memory.giveBack(full), last: false };
          [into, filled] = [await memory.take(), 0];
        }
        const taken = piece.subarray(at, at + into.byteLength - filled);
        into.set(taken, filled);
        filled += taken.byteLength;
        at += taken.byteLength;
      }
    }
  } catch (error) {
    memory.giveBack(into);
    throw error;
  }
  whole({ sha256: hash.digest("hex"), bytes });
  const end = into;
  yield { bytes: end.subarray(0, filled), release: () => memory.giveBack(end), last: true };
}
