import { crc32 } from "node:zlib";
import { checksumBytes, openChecksum } from "./checksum.ts";

/** What a frame is for; its number travels. */
export const kinds = {
  hello: 1,
  welcome: 2,
  call: 3,
  answer: 4,
  failure: 5,
  /** The caller of that number does not wait any more. */
  cancel: 6,
} as const;
export type Kind = keyof typeof kinds;

export interface Frame {
  readonly kind: Kind;
  /** Number of the call, given by the caller; 0 for the lane itself. */
  readonly id: number;
  /** A message of proto/heddle/lane. */
  readonly header: Uint8Array;
  /** Begins at a multiple of 8 of its buffer, which is the frame's own until it is freed. */
  readonly payload: Uint8Array;
  /** Gives its memory back, once: header and payload must not be read any more. */
  free(): void;
}

/** What stands before a frame's body. */
export interface Prelude {
  readonly kind: Kind;
  readonly id: number;
  readonly headerBytes: number;
  readonly payloadBytes: number;
  /** shape [checksumBytes], of header, padding and payload. */
  readonly checksum: Uint8Array;
}

export const preludeBytes = 32;
/** Marks a frame of this format; another format gets another mark. */
const mark = 0x314e4c48; // "HLN1", little-endian
const at = { kind: 4, id: 8, header: 12, payload: 16, checksum: 20, crc: 28 } as const;
const zeros = new Uint8Array(8);

/** The next multiple of 8: rows must lie where typed arrays can. */
export const padded = (bytes: number): number => Math.ceil(bytes / 8) * 8;

/** Bytes of a frame's body, as limits count them. */
export const bodyBytes = (header: Uint8Array, segments: readonly Uint8Array[]): number =>
  segments.reduce((sum, { length }) => sum + padded(length), padded(header.length));

/** The bytes of a frame in pieces, none of them copied; they must not change until they are sent. */
export function encodeFrame(
  kind: Kind,
  id: number,
  header: Uint8Array,
  segments: readonly Uint8Array[] = [],
): Uint8Array[] {
  const pieces = [header, ...segments].flatMap((piece) => {
    const gap = padded(piece.length) - piece.length;
    return gap === 0 ? [piece] : [piece, zeros.subarray(0, gap)];
  });
  const checksum = openChecksum();
  for (const piece of pieces) checksum.add(piece);
  const prelude = Buffer.alloc(preludeBytes);
  prelude.writeUInt32LE(mark, 0);
  prelude.writeUInt8(kinds[kind], at.kind);
  prelude.writeUInt32LE(id, at.id);
  prelude.writeUInt32LE(header.length, at.header);
  prelude.writeUInt32LE(bodyBytes(header, segments) - padded(header.length), at.payload);
  prelude.set(checksum.end(), at.checksum);
  prelude.writeUInt32LE(crc32(prelude.subarray(0, at.crc)), at.crc);
  return [prelude, ...pieces.filter(({ length }) => length > 0)];
}

/** A prelude, or in words why it is none. `damaged` when its own checksum does not hold. */
export function decodePrelude(bytes: Buffer): Prelude | "damaged" | { readonly wrong: string } {
  if (bytes.readUInt32LE(0) !== mark) return { wrong: "its bytes are no frame" };
  if (bytes.readUInt32LE(at.crc) !== crc32(bytes.subarray(0, at.crc))) return "damaged";
  const number = bytes.readUInt8(at.kind);
  const kind = (Object.keys(kinds) as Kind[]).find((name) => kinds[name] === number);
  if (kind === undefined) return { wrong: `a frame of kind ${number}, which is not known` };
  const payloadBytes = bytes.readUInt32LE(at.payload);
  if (payloadBytes % 8 !== 0) return { wrong: `a payload of ${payloadBytes} bytes, not padded` };
  return {
    kind,
    id: bytes.readUInt32LE(at.id),
    headerBytes: bytes.readUInt32LE(at.header),
    payloadBytes,
    checksum: Uint8Array.from(bytes.subarray(at.checksum, at.checksum + checksumBytes)),
  };
}
