import { crc32 } from "node:zlib";
import { recordCorrupt } from "./errors.ts";

const headBytes = 12;

/** A stored value and the number kept beside it: a revision, a time or an offset. */
export interface SealedRecord {
  readonly number: number;
  readonly body: Buffer;
}

/** Bytes as they lie in LMDB: CRC-32 of the rest, a float64 number, the body, whose parts are copied once. Little-endian. */
export function sealRecord(number: number, ...body: readonly Uint8Array[]): Buffer {
  const bytes = body.reduce((sum, { byteLength }) => sum + byteLength, headBytes);
  const sealed = Buffer.allocUnsafe(bytes);
  sealed.writeDoubleLE(number, 4);
  let at = headBytes;
  for (const part of body) {
    sealed.set(part, at);
    at += part.byteLength;
  }
  sealed.writeUInt32LE(crc32(sealed.subarray(4)), 0);
  return sealed;
}

/** The CRC-32 that `sealRecord` puts before a number and a body, for backends that keep the three apart. */
export function checksumOf(number: number, body: string): number {
  const head = Buffer.allocUnsafe(8);
  head.writeDoubleLE(number);
  return crc32(body, crc32(head));
}

/**
 * Opens what `sealRecord` made.
 *
 * @param place names the record in the error.
 * @throws {HeddleError} DATA_LOSS RECORD_CORRUPT when its checksum does not hold.
 */
export function openRecord(sealed: Buffer, place: string): SealedRecord {
  if (sealed.length < headBytes || crc32(sealed.subarray(4)) !== sealed.readUInt32LE(0)) {
    throw recordCorrupt(place);
  }
  return { number: sealed.readDoubleLE(4), body: sealed.subarray(headBytes) };
}
