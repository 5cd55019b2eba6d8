import { once } from "node:events";
import { existsSync } from "node:fs";
import { readdir, readFile, readlink } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { Unavailable } from "./unavailable.ts";

/** A port of 127.0.0.1 that nobody has now; another process may take it before the server does. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** LISTEN, in the tables of /proc/net. */
const listening = "0A";

/**
 * Whose socket a port is: `ours` when a process of the group listens on it, `another's` when someone else does, `nobody's` when none.
 * Whoever waits for "something answers on the port" may talk to a server that another test run left there.
 *
 * @throws {Unavailable} on systems without /proc.
 */
export async function ownerOfPort(
  port: number,
  processGroup: number,
): Promise<"ours" | "another's" | "nobody's"> {
  if (!existsSync("/proc/net/tcp")) {
    throw new Unavailable("servers are started on Linux only: give one by its URL instead");
  }
  const sockets = await listenersOf(port);
  if (sockets.size === 0) return "nobody's";
  for (const processId of await membersOf(processGroup)) {
    for (const socket of await socketsOf(processId)) if (sockets.has(socket)) return "ours";
  }
  return "another's";
}

async function listenersOf(port: number): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  const end = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    const text = await readFile(table, "utf8").catch(() => "");
    for (const line of text.split("\n").slice(1)) {
      const [, local = "", , state, , , , , , inode = ""] = line.trim().split(/\s+/);
      if (state === listening && local.endsWith(end)) found.add(`socket:[${inode}]`);
    }
  }
  return found;
}

async function membersOf(processGroup: number): Promise<readonly number[]> {
  const found: number[] = [];
  for (const entry of await readdir("/proc")) {
    const processId = Number(entry);
    if (!Number.isInteger(processId)) continue;
    const text = await readFile(`/proc/${entry}/stat`, "utf8").catch(() => "");
    // Behind the name, which may hold anything: state, parent, group.
    const [, , group] = text.slice(text.lastIndexOf(")") + 2).split(" ");
    if (Number(group) === processGroup) found.push(processId);
  }
  return found;
}

async function socketsOf(processId: number): Promise<readonly string[]> {
  const folder = `/proc/${processId}/fd`;
  const entries = await readdir(folder).catch(() => []);
  return Promise.all(entries.map((entry) => readlink(`${folder}/${entry}`).catch(() => "")));
}
