import { type BoundSocket, type OnReadOpts, Socket } from "node:net";

/** Node has a socket read to memory of the reader's choice only where it is made for that, and says not what one stands on. */
interface WithHandle {
  _handle?: BoundSocket | null;
}

/**
 * An accepted socket that reads to where it is told, as one that connects can by itself. Left to itself Node takes new memory for each
 * piece, and collecting it costs as much as reading does. The socket accepted is used up.
 *
 * @param from accepted and paused.
 */
export function readingInto(from: Socket, onread: OnReadOpts): Socket {
  const { _handle: handle } = from as WithHandle;
  if (typeof handle !== "object" || handle === null) {
    return from.on("data", (piece: Buffer) => onread.callback(piece.length, piece)).resume();
  }
  (from as WithHandle)._handle = null;
  const socket = new Socket({ handle, onread });
  // The server counts the one it accepted.
  socket.once("close", () => from.destroy());
  return socket.resume();
}
