import { type Checksum, openChecksum } from "./checksum.ts";
import { badFrame, checksumDiffers, frameTooLarge, truncated } from "../errors.ts";
import { decodePrelude, type Frame, padded, type Prelude, preludeBytes } from "./frame.ts";
import type { Pool } from "./pool.ts";

/** Reads frames from bytes that come in pieces of any size. */
export interface Parser {
  /**
   * Takes the next piece; hands on each frame that it completes, after its checksums held. After an error nothing more is read.
   *
   * @param piece its bytes are copied, but for those that already lie in `room()`.
   * @throws {HeddleError} INVALID_ARGUMENT LANE_BAD_FRAME; DATA_LOSS LANE_CHECKSUM; RESOURCE_EXHAUSTED LANE_FRAME_TOO_LARGE;
   *   and what `onFrame` throws.
   */
  push(piece: Uint8Array): void;
  /** Where the next bytes lie best: the rest of a frame that is large, undefined when nothing large is awaited. */
  room(): Uint8Array<ArrayBuffer> | undefined;
  /**
   * No piece follows.
   *
   * @throws {HeddleError} DATA_LOSS LANE_TRUNCATED within a frame.
   */
  end(): void;
}

export interface ParserOptions {
  /** Who sends, for messages. */
  readonly where: string;
  /** Asked at each frame: a stranger may send less. */
  readonly frameBytesMax: () => number;
  /** Where frames lie. */
  readonly pool: Pool;
  /** The frame is the taker's until it calls `free`; one that is never freed keeps its memory to itself. */
  readonly onFrame: (frame: Frame) => void;
}

/** A frame whose prelude is read: where its body goes. */
interface Body {
  readonly prelude: Prelude;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly checksum: Checksum;
  filled: number;
}

/** For less than this it does not pay to read by itself. */
const roomBytesMin = 16_384;

/** A body's bytes are copied at most once, to memory of the pool whose size is bounded before it is taken. */
export function openParser({ where, frameBytesMax, pool, onFrame }: ParserOptions): Parser {
  const prelude = Buffer.alloc(preludeBytes);
  let preludeFilled = 0;
  let body: Body | undefined;
  let failed = false;

  /** Takes what it can of a piece; returns how much that was. */
  const take = (piece: Uint8Array): number => {
    if (body === undefined) {
      const part = piece.subarray(0, preludeBytes - preludeFilled);
      prelude.set(part, preludeFilled);
      preludeFilled += part.length;
      if (preludeFilled === preludeBytes) body = beginBody(prelude, where, frameBytesMax(), pool);
      return part.length;
    }
    const { bytes, filled } = body;
    const part = piece.subarray(0, bytes.length - filled);
    const lies = part.buffer === bytes.buffer && part.byteOffset === bytes.byteOffset + filled;
    if (!lies) bytes.set(part, filled);
    body.checksum.add(part);
    body.filled += part.length;
    return part.length;
  };
  return {
    push: (piece) => {
      if (failed) throw badFrame(where, "bytes after a frame that was refused");
      failed = true;
      for (let rest = piece; ;) {
        // A frame may end with the prelude.
        if (body !== undefined && body.filled === body.bytes.length) {
          const whole = body;
          body = undefined;
          preludeFilled = 0;
          onFrame(frameOf(whole, where, pool));
        } else if (rest.length === 0) break;
        else rest = rest.subarray(take(rest));
      }
      failed = false;
    },
    room: () => {
      if (failed || body === undefined) return undefined;
      const { bytes, filled } = body;
      return bytes.length - filled < roomBytesMin ? undefined : bytes.subarray(filled);
    },
    end: () => {
      const bytes = body === undefined ? preludeFilled : preludeBytes + body.filled;
      if (!failed && bytes > 0) throw truncated(where, bytes);
    },
  };
}

function beginBody(bytes: Buffer, where: string, frameBytesMax: number, pool: Pool): Body {
  const prelude = decodePrelude(bytes);
  if (prelude === "damaged") throw checksumDiffers(where, "a frame's first bytes");
  if ("wrong" in prelude) throw badFrame(where, prelude.wrong);
  const { headerBytes, payloadBytes } = prelude;
  const length = padded(headerBytes) + payloadBytes;
  if (length > frameBytesMax) throw frameTooLarge(where, length, frameBytesMax);
  return { prelude, bytes: pool.take(length), checksum: openChecksum(), filled: 0 };
}

/** All of its bytes were written by this frame: none of an earlier one is left where anyone looks. */
function frameOf({ prelude, bytes, checksum }: Body, where: string, pool: Pool): Frame {
  if (Buffer.compare(checksum.end(), prelude.checksum) !== 0) {
    throw checksumDiffers(where, `a frame of ${bytes.length} bytes`);
  }
  const { kind, id, headerBytes } = prelude;
  const payload = bytes.subarray(padded(headerBytes));
  const header = bytes.subarray(0, headerBytes);
  return { kind, id, header, payload, free: () => pool.give(bytes) };
}
