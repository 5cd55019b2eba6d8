import { HeddleError } from "@heddle/base";
import type { ByteSource } from "./byte-source.ts";
import { constants, crc32, zstdCompressSync, zstdDecompressSync } from "node:zlib";

/** What a block holds. */
export const blockKinds = { header: 1, rows: 2, dense: 3, end: 4 } as const;
export type BlockKind = (typeof blockKinds)[keyof typeof blockKinds];

/** A block as it was read: checked and unpacked. */
export interface Block {
  readonly kind: BlockKind;
  /** Its place in the file, from 0; for messages. */
  readonly number: number;
  readonly bytes: Uint8Array;
  /** Gives its memory back, which would else wait for a collection of the whole heap; the bytes are gone then. */
  free(): void;
}

/** `HEDDLEB1`, then blocks: kind, stored bytes, unpacked bytes, CRC-32 (4 bytes each, little-endian), then a zstd frame. */
export const blockMagic = Uint8Array.from("HEDDLEB1", (letter) => letter.charCodeAt(0));
const frameBytes = 16;
/** What a block holds unpacked, at most; so a reader needs this and the stored form of it, whatever the file's size. */
const blockBytesMax = 4 << 20;
/** What cannot be compressed grows a little. */
const storedBytesMax = blockBytesMax + (blockBytesMax >> 7) + 64;
/** Floats give little, and higher levels give no more of it, for three times the time. */
const level = 1;
/** Node takes no smaller piece of output; one piece for all of it saves a call and a copy for every 16 KiB. */
const chunkBytesMin = 64;

/** @param number the block's place in its file: a block that stands elsewhere is corrupt. */
export function encodeBlock(kind: BlockKind, number: number, bytes: Uint8Array): Uint8Array {
  const stored = zstdCompressSync(bytes, {
    params: { [constants.ZSTD_c_compressionLevel]: level },
    chunkSize: Math.max(bytes.length, chunkBytesMin),
  });
  const block = new Uint8Array(frameBytes + stored.length);
  const view = new DataView(block.buffer);
  view.setUint32(0, kind, true);
  view.setUint32(4, stored.length, true);
  view.setUint32(8, bytes.length, true);
  view.setUint32(12, crc32(stored, headSum(number, block.subarray(0, 12))), true);
  block.set(stored, frameBytes);
  return block;
}

/**
 * The blocks of a file whose first bytes were taken, each as soon as its bytes are there.
 *
 * @param what the file, for messages.
 * @throws {HeddleError} DATA_LOSS BLOCK_CORRUPT naming file and block.
 */
export async function* readBlocks(source: ByteSource, what: string): AsyncGenerator<Block> {
  for (let number = 0; ; number++) {
    const frame = await source.take(frameBytes);
    if (frame.length === 0) return;
    yield await readBlock(frame, number, source, what);
  }
}

async function readBlock(
  frame: Uint8Array,
  number: number,
  source: ByteSource,
  what: string,
): Promise<Block> {
  if (frame.length < frameBytes) throw corrupt(what, number, "the file ends inside it");
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const [kind, storedBytes, bytes] = [0, 4, 8].map((at) => view.getUint32(at, true)) as [
    number,
    number,
    number,
  ];
  // Before they are believed: a flipped bit must not ask for gigabytes.
  if (!isKind(kind) || storedBytes > storedBytesMax || bytes > blockBytesMax) {
    throw corrupt(what, number, "it does not start as one");
  }
  const [sum, sumOfHead] = [view.getUint32(12, true), headSum(number, frame.subarray(0, 12))];
  const stored = await source.take(storedBytes);
  if (stored.length < storedBytes) throw corrupt(what, number, "the file ends inside it");
  if (sum !== crc32(stored, sumOfHead)) {
    throw corrupt(what, number, "its checksum differs");
  }
  const unpacked = zstdDecompressSync(stored, {
    maxOutputLength: bytes + 1,
    // A byte more than needed: when all of it is filled, Node makes as much room again.
    chunkSize: Math.max(bytes + 1, chunkBytesMin),
  });
  if (unpacked.length !== bytes) throw corrupt(what, number, "it unpacks to another size");
  return { kind, number, bytes: unpacked, free: () => free(unpacked) };
}

function free({ buffer, length }: Uint8Array): void {
  // Small buffers share their memory with others.
  if (length <= 2 * Buffer.poolSize || !(buffer instanceof ArrayBuffer)) return;
  buffer.transfer(0);
}

export function corrupt(what: string, block: number, why: string): HeddleError {
  return new HeddleError(
    "DATA_LOSS",
    "BLOCK_CORRUPT",
    `block ${block} of ${what} is corrupt: ${why}; nothing of the file was used: put a good copy of it back, or train the run again from its beginning`,
    { metadata: { object: what, block: String(block) } },
  );
}

/** What the sum over the stored bytes goes on from. */
function headSum(number: number, head: Uint8Array): number {
  return crc32(head, crc32(String(number)));
}

const isKind = (kind: number): kind is BlockKind =>
  (Object.values(blockKinds) as number[]).includes(kind);
