import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HeddleError, messageOf } from "@heddle/base";

/** Where a lane listens: a socket in a folder of this user's own, or a free port of the loopback interface. */
export type LaneKind = "unix" | "tcp";

export interface Listening {
  readonly address: string;
  /** Takes no further connection; those there are stay. */
  close(): void;
}

/** Strangers that knock at one offer at a time. */
const strangersMax = 4;
const host = "127.0.0.1";

/** @throws {HeddleError} UNAVAILABLE LANE_NOT_LISTENING. */
export async function listen(
  kind: LaneKind,
  onSocket: (paused: Socket) => void,
): Promise<Listening> {
  const server = createServer({ pauseOnConnect: true }, onSocket);
  server.maxConnections = strangersMax;
  let folder: string | undefined;
  const remove = (): void => {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  };
  let path: string | undefined;
  try {
    // The socket's folder is its owner's alone (mode 0700): other users do not come as far as the token.
    if (kind === "unix") {
      folder = mkdtempSync(join(tmpdir(), "heddle-lane-"));
      path = join(folder, "s");
    }
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(path === undefined ? { host, port: 0 } : { path }, resolve);
    });
  } catch (cause) {
    remove();
    throw new HeddleError(
      "UNAVAILABLE",
      "LANE_NOT_LISTENING",
      `cannot listen for a lane on ${path ?? (kind === "unix" ? tmpdir() : host)} (${messageOf(cause)}); set TMPDIR to a short path that can be written, or call by gRPC`,
      { cause },
    );
  }
  server.unref();
  const address =
    path === undefined ? `tcp:${host}:${(server.address() as AddressInfo).port}` : `unix:${path}`;
  return {
    address,
    close: () => {
      server.close();
      remove();
    },
  };
}
