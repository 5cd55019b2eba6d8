import { type Checksum, openChecksum } from "./checksum.ts";
import { badFrame, checksumDiffers, frameTooLarge, truncated } from "./errors.ts";
import { decodePrelude, type Frame, padded, type Prelude, preludeBytes } from "./frame.ts";

/** Reads frames from bytes that come in pieces of any size. */
export interface Parser {
  /**
   * Takes the next piece; hands on each frame that it completes, after its checksums held. After an error nothing more is read.
   *
   * @throws {HeddleError} INVALID_ARGUMENT LANE_BAD_FRAME; DATA_LOSS LANE_CHECKSUM; RESOURCE_EXHAUSTED LANE_FRAME_TOO_LARGE;
   *   and what `onFrame` throws.
   */
  push(piece: Uint8Array): void;
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
  readonly onFrame: (frame: Frame) => void;
}

/** A frame whose prelude is read: where its body goes. */
interface Body {
  readonly prelude: Prelude;
  readonly bytes: Buffer;
  readonly checksum: Checksum;
  filled: number;
}

/** A body's bytes are copied once, to a buffer of the frame's own, whose size is bounded before it is made. */
export function openParser({ where, frameBytesMax, onFrame }: ParserOptions): Parser {
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
      if (preludeFilled === preludeBytes) body = beginBody(prelude, where, frameBytesMax());
      return part.length;
    }
    const part = piece.subarray(0, body.bytes.length - body.filled);
    body.bytes.set(part, body.filled);
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
          onFrame(frameOf(whole, where));
        } else if (rest.length === 0) break;
        else rest = rest.subarray(take(rest));
      }
      failed = false;
    },
    end: () => {
      const bytes = body === undefined ? preludeFilled : preludeBytes + body.filled;
      if (!failed && bytes > 0) throw truncated(where, bytes);
    },
  };
}

function beginBody(bytes: Buffer, where: string, frameBytesMax: number): Body {
  const prelude = decodePrelude(bytes);
  if (prelude === "damaged") throw checksumDiffers(where, "a frame's first bytes");
  if ("wrong" in prelude) throw badFrame(where, prelude.wrong);
  const { headerBytes, payloadBytes } = prelude;
  const length = padded(headerBytes) + payloadBytes;
  if (length > frameBytesMax) throw frameTooLarge(where, length, frameBytesMax);
  // A buffer of its own, not of Node's pool: typed arrays lie over it, and all of it is written before it is read.
  return { prelude, bytes: Buffer.allocUnsafeSlow(length), checksum: openChecksum(), filled: 0 };
}

function frameOf({ prelude, bytes, checksum }: Body, where: string): Frame {
  if (Buffer.compare(checksum.end(), prelude.checksum) !== 0) {
    throw checksumDiffers(where, `a frame of ${bytes.length} bytes`);
  }
  const { kind, id, headerBytes } = prelude;
  const payload = bytes.subarray(padded(headerBytes));
  return { kind, id, header: bytes.subarray(0, headerBytes), payload };
}
