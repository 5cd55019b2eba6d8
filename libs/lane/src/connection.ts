import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import { type HeddleError, isHeddleError } from "@heddle/base";
import { badFrame } from "./errors.ts";
import { encodeFrame, type Frame, type Kind } from "./frames/frame.ts";
import { openParser } from "./frames/parser.ts";
import type { Pool } from "./frames/pool.ts";
import { reading, type SocketSource } from "./reading.ts";

/** How long the last frames may take to go out. */
const lastWordsMs = 1_000;

/** One end of a lane: frames over a socket. */
export interface Connection {
  /**
   * The bytes are not copied.
   *
   * @param onGone they went out, or never will: they may change.
   */
  send(
    kind: Kind,
    id: number,
    header: Uint8Array,
    segments?: readonly Uint8Array[],
    onGone?: () => void,
  ): void;
  /** Bytes that the socket has not taken yet. */
  readonly unsentBytes: number;
  /** Stops and goes on reading. */
  pause(): void;
  resume(): void;
  /** Resolves once nothing comes or goes any more. */
  readonly closed: Promise<void>;
  /** Ends it now, whatever is under way. */
  destroy(why?: Error): void;
  /** Ends it once what was sent went out, with the reason that `onEnd` is told. */
  end(why?: Error): void;
}

export interface ConnectionOptions {
  readonly socket: SocketSource;
  readonly pool: Pool;
  /** The other side, for messages. */
  readonly where: string;
  readonly frameBytesMax: () => number;
  readonly onFrame: (frame: Frame) => void;
  /** Nothing is unsent any more. */
  readonly onDrain?: () => void;
  /** What came was refused; a last frame may be sent. */
  readonly onRefused?: (error: HeddleError) => void;
  /** Once: nothing comes any more, because of `why` if it was not asked for. */
  readonly onEnd: (why: Error | undefined) => void;
}

/** A frame that is refused ends the connection: after it nobody knows where the next one begins. */
export function openConnection(options: ConnectionOptions): Connection {
  const { where, frameBytesMax, pool, onFrame, onDrain, onRefused, onEnd } = options;
  const parser = openParser({ where, frameBytesMax, pool, onFrame });
  const closed = Promise.withResolvers<void>();
  let why: Error | undefined;
  const end = (reason?: Error): void => {
    why ??= reason;
    // What was written still goes out, for as long as that may take.
    socket.destroySoon();
    setTimeout(() => socket.destroy(), lastWordsMs).unref();
  };
  const guarded = (act: () => void): void => {
    try {
      act();
    } catch (error) {
      if (!isHeddleError(error)) throw error;
      if (why === undefined) onRefused?.(error);
      end(error);
    }
  };
  const socket = reading(options.socket, parser, guarded);
  socket.setNoDelay(true);
  socket.on("end", () => guarded(() => parser.end()));
  socket.on("error", (error) => (why ??= error));
  socket.on("drain", () => onDrain?.());
  socket.once("close", () => {
    onEnd(why);
    closed.resolve();
  });
  return {
    get unsentBytes() {
      return socket.writableLength;
    },
    closed: closed.promise,
    send: (kind, id, header, segments, onGone) => {
      if (!socket.writable) return onGone?.();
      const pieces = encodeFrame(kind, id, header, segments);
      const last = pieces.length - 1;
      socket.cork();
      pieces.forEach((piece, n) => socket.write(piece, n === last ? onGone : undefined));
      socket.uncork();
    },
    destroy: (reason) => void socket.destroy(reason),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    end,
  };
}

/** A frame's header read; what cannot be read ends the lane. */
export function headerOf<D extends DescMessage>(
  schema: D,
  { header }: Frame,
  where: string,
): MessageShape<D> {
  return decoded(() => fromBinary(schema, header), where, `a header that is no ${schema.name}`);
}

/** @throws {HeddleError} INVALID_ARGUMENT LANE_BAD_FRAME when `decode` fails or finds nothing. */
export function decoded<T>(decode: () => T | undefined, where: string, what: string): T {
  let value: T | undefined;
  try {
    value = decode();
  } catch (cause) {
    throw badFrame(where, what, cause);
  }
  if (value === undefined) throw badFrame(where, what);
  return value;
}
