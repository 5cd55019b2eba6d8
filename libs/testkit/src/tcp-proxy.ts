import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** A TCP way to a server that a test can break. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** Breaks every connection in the middle of whatever passes. */
  cut(): void;
  /** Breaks what is open and refuses new connections. */
  away(): Promise<void>;
  /** Listens again where it did. */
  back(): Promise<void>;
}

/**
 * Starts a proxy on a free port of 127.0.0.1.
 *
 * @param target what it leads to.
 * @param join carries what passes between the two ends of a new connection; everything, unchanged, when absent.
 */
export async function startTcpProxy(
  target: Pick<URL, "hostname" | "port">,
  join: (client: Socket, upstream: Socket) => void = passAll,
): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  const listen = async (port: number): Promise<Server> => {
    const server = createServer((client) => {
      const upstream = connect(Number(target.port), target.hostname);
      for (const socket of [client, upstream]) {
        sockets.add(socket);
        socket.setNoDelay(true).on("error", () => undefined);
        socket.once("close", () => sockets.delete(socket));
      }
      join(client, upstream);
    });
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return server;
  };
  let server = await listen(0);
  const { port } = server.address() as AddressInfo;
  const cut = (): void => sockets.forEach((socket) => socket.destroy());
  const away = async (): Promise<void> => {
    if (!server.listening) return;
    server.close();
    cut();
    await once(server, "close");
  };
  return {
    port,
    cut,
    away,
    back: async () => void (server = await listen(port)),
    [Symbol.asyncDispose]: away,
  };
}

/** When one end closes, the other is destroyed. */
export function closeTogether(client: Socket, upstream: Socket): void {
  client.once("close", () => upstream.destroy());
  upstream.once("close", () => client.destroy());
}

function passAll(client: Socket, upstream: Socket): void {
  closeTogether(client, upstream);
  client.pipe(upstream).pipe(client);
}
