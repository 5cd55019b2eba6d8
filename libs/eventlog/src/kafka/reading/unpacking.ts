import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { compressionsAlgorithms } from "@platformatic/kafka";

/** What the records of a batch may grow to. Ours have a tenth of it; beyond it a batch of 2 MiB could fill the memory of whoever reads it. */
export const unpackedBytesMax = 16 << 20;

/** Not tried again by the client: it would come again. */
class BatchTooLarge extends Error {
  readonly code = batchTooLargeCode;
  readonly canRetry = false;
}
export const batchTooLargeCode = "HEDDLE_BATCH_TOO_LARGE";

type Unpack = (packed: Buffer | { readonly buffer: Buffer }) => Buffer;

const { snappy, lz4 } = compressionsAlgorithms;
const [unpackSnappy, unpackLz4]: readonly [Unpack, Unpack] = [
  snappy.decompressSync,
  lz4.decompressSync,
] as readonly [Unpack, Unpack];

/** Has the client unpack no batch that grows beyond `unpackedBytesMax`: it has no bound of its own, and one table of algorithms. */
export function boundUnpacking(): void {
  const table: Record<"gzip" | "snappy" | "lz4" | "zstd", { decompressSync: Unpack }> =
    compressionsAlgorithms as never;
  const options = { maxOutputLength: unpackedBytesMax };
  table.gzip.decompressSync = bounded((packed) => gunzipSync(packed, options));
  table.zstd.decompressSync = bounded((packed) => zstdDecompressSync(packed, options));
  table.snappy.decompressSync = bounded((packed) => {
    if (snappyBytes(packed) > unpackedBytesMax) throw new BatchTooLarge();
    return unpackSnappy(packed);
  });
  table.lz4.decompressSync = bounded((packed) => {
    if (lz4BytesMax(packed) > unpackedBytesMax) throw new BatchTooLarge();
    return unpackLz4(packed);
  });
}

function bounded(unpack: (packed: Buffer) => Buffer): Unpack {
  return (packed) => {
    try {
      return unpack(Buffer.isBuffer(packed) ? packed : packed.buffer);
    } catch (error) {
      // Of zlib, when the output would pass `maxOutputLength`.
      const tooLarge = (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE";
      throw tooLarge ? new BatchTooLarge() : error;
    }
  };
}

const xerialHeader = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const xerialHeaderBytes = 16;

/**
 * What snappy says that it grows to: it stands before each block, as a varint.
 *
 * @source https://github.com/google/snappy/blob/main/format_description.txt; blocks of a stream as `SnappyOutputStream` of xerial writes them.
 */
export function snappyBytes(packed: Buffer): number {
  if (!packed.subarray(0, xerialHeader.length).equals(xerialHeader)) return varintAt(packed, 0);
  let bytes = 0;
  for (let at = xerialHeaderBytes; at + 4 <= packed.length;) {
    bytes += varintAt(packed, at + 4);
    at += 4 + packed.readUInt32BE(at);
  }
  return bytes;
}

function varintAt(bytes: Buffer, start: number): number {
  let value = 0;
  for (let n = 0; n < 5; n++) {
    const byte = bytes[start + n] ?? 0;
    value += (byte & 0x7f) * 2 ** (7 * n);
    if (byte < 0x80) break;
  }
  return value;
}

const lz4Magic = 0x184d2204;
const storedBit = 0x8000_0000;
/** No byte of a compressed block makes more than so many. */
const lz4RatioMax = 255;

/**
 * What LZ4 frames may grow to at most: of each block what its frame allows, and what its bytes can make.
 *
 * @source https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md
 */
export function lz4BytesMax(packed: Buffer): number {
  let bytes = 0;
  for (let at = 0; at + 7 <= packed.length && packed.readUInt32LE(at) === lz4Magic;) {
    const [flags, descriptor] = [packed.readUInt8(at + 4), packed.readUInt8(at + 5)];
    const blockBytesMax = 1 << (8 + 2 * ((descriptor >> 4) & 7));
    const checksumBytes = (flags & 0x10) === 0 ? 0 : 4;
    at += 7 + ((flags & 0x08) === 0 ? 0 : 8) + ((flags & 0x01) === 0 ? 0 : 4);
    for (;;) {
      if (at + 4 > packed.length) return bytes;
      const size = packed.readUInt32LE(at);
      at += 4;
      if (size === 0) break;
      const blockBytes = size % storedBit;
      const grown = size >= storedBit ? blockBytes : blockBytes * lz4RatioMax;
      bytes += Math.min(blockBytesMax, grown);
      at += blockBytes + checksumBytes;
    }
    at += (flags & 0x04) === 0 ? 0 : 4;
  }
  return bytes;
}
