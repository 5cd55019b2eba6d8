import { once } from "node:events";
import { connect, createServer, type NetConnectOpts, type Server, type Socket } from "node:net";
import type { Work } from "./work.ts";

/** What a socket of Node can at most: bytes of known number, copied once where they come out, checked and framed by nothing. */
export function serveBare({ ids, values }: Work): Server {
  return createServer((socket) => {
    socket.setNoDelay(true);
    const next = reader(socket);
    const [pull, push] = [Buffer.alloc(ids.length), Buffer.alloc(ids.length + values.length)];
    const serve = async (): Promise<void> => {
      for (;;) {
        await next(pull);
        socket.write(values);
        await next(push);
        socket.write(Buffer.alloc(8));
      }
    };
    // It goes on until the socket ends.
    serve().catch(() => socket.destroy());
  });
}

/** @returns a step of the same bytes. */
export async function connectBare(place: NetConnectOpts, { ids, values }: Work) {
  const socket = connect(place);
  socket.setNoDelay(true);
  await once(socket, "connect");
  const next = reader(socket);
  const [rows, done] = [Buffer.alloc(values.length), Buffer.alloc(8)];
  return {
    step: async (): Promise<void> => {
      socket.write(ids);
      await next(rows);
      socket.cork();
      socket.write(ids);
      socket.write(rows);
      socket.uncork();
      await next(done);
    },
    [Symbol.asyncDispose]: async () => void socket.destroy(),
  };
}

/** Fills buffers with what comes, one after the other. */
function reader(socket: Socket): (into: Buffer) => Promise<void> {
  let into: Buffer = Buffer.alloc(0);
  let filled = 0;
  let full = Promise.withResolvers<void>();
  socket.on("data", (piece: Buffer) => {
    piece.copy(into, filled);
    filled += piece.length;
    if (filled === into.length) full.resolve();
  });
  socket.on("error", () => undefined);
  socket.once("close", () => {
    full.promise.catch(() => undefined);
    full.reject(new Error("the socket ended"));
  });
  return (buffer) => {
    [into, filled, full] = [buffer, 0, Promise.withResolvers()];
    return full.promise;
  };
}
