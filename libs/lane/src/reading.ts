import type { OnReadOpts, Socket } from "node:net";
import type { Parser } from "./parser.ts";

/** A socket that is there, or how to open one that reads to where it is told. */
export type SocketSource = Socket | ((onread: OnReadOpts) => Socket);

/** What is read while nothing large is awaited. */
const scratchBytes = 65_536;

/**
 * Brings a socket's bytes to a parser: those of large frames straight to their place, if the socket is opened here. Node reads
 * an accepted one into memory of its own, from which the parser copies.
 *
 * @param guarded handles what the parser throws.
 */
export function reading(
  source: SocketSource,
  parser: Parser,
  guarded: (act: () => void) => void,
): Socket {
  if (typeof source !== "function") {
    return source.on("data", (piece: Buffer) => guarded(() => parser.push(piece)));
  }
  const scratch = new Uint8Array(scratchBytes);
  return source({
    buffer: () => parser.room() ?? scratch,
    callback: (bytes, into) => {
      guarded(() => parser.push(into.subarray(0, bytes)));
      return true;
    },
  });
}
