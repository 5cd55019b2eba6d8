import type { OnReadOpts, Socket } from "node:net";
import type { Parser } from "./frames/parser.ts";

/** Opens a socket that reads to where it is told. */
export type SocketSource = (onread: OnReadOpts) => Socket;

/** What is read while nothing large is awaited. */
const scratchBytes = 65_536;

/**
 * Brings a socket's bytes to a parser, those of large frames straight to their place.
 *
 * @param guarded handles what the parser throws.
 */
export function reading(
  open: SocketSource,
  parser: Parser,
  guarded: (act: () => void) => void,
): Socket {
  const scratch = new Uint8Array(scratchBytes);
  return open({
    buffer: () => parser.room() ?? scratch,
    callback: (bytes, into) => {
      guarded(() => parser.push(into.subarray(0, bytes)));
      return true;
    },
  });
}
