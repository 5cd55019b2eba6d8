import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as wait } from "node:timers/promises";
import { freePort, ownerOfPort } from "./ports.ts";
import { Unavailable } from "./unavailable.ts";

/** A server that this process started, answers, and is stopped by whoever started it. */
export interface RunningServer {
  readonly url: string;
  readonly processId: number;
  /** Asks it to end, and kills it when it takes longer than `stopMs`. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** How one server is started. */
export interface ServerStart {
  /** For errors: `versitygw 1.8.0`. */
  readonly name: string;
  /** How many ports it takes; `command` and `url` get them. 1 when absent. */
  readonly portCount?: number;
  /** These ports instead of free ones: for a server that comes back where it was. */
  readonly ports?: readonly number[];
  readonly command: (ports: readonly number[]) => ServerCommand | Promise<ServerCommand>;
  readonly url: (ports: readonly number[]) => string;
  /** Whether it answers in its own protocol; asked only when its process listens on every port. A rejection is a no. */
  readonly answers?: (url: string) => Promise<boolean>;
  /** 60 s when absent. */
  readonly startMs?: number;
  /** 10 s when absent. */
  readonly stopMs?: number;
}

interface ServerCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Of the server's output, for the error of a start that fails. */
const saidCharactersMax = 8_000;
const pollMs = 50;
const startsMax = 3;

/**
 * Starts a server and waits until it answers on ports that its own process listens on. Free ports that another process takes in between
 * are replaced. It does not outlive this process, however that dies.
 *
 * @throws {Unavailable} when its program is not on this machine.
 * @throws {Error} with the server's last words when it ends or is not ready in time.
 */
export async function startServer(start: ServerStart): Promise<RunningServer> {
  for (let tries = 1; ; tries++) {
    const ports = start.ports ?? (await freePorts(start.portCount ?? 1));
    const outcome = await tryStart(start, ports);
    if (outcome !== "port taken") return outcome;
    if (start.ports !== undefined || tries === startsMax) {
      throw new Error(
        `${start.name} did not start: another process has port ${ports.join(" or ")}`,
      );
    }
  }
}

async function tryStart(
  start: ServerStart,
  ports: readonly number[],
): Promise<RunningServer | "port taken"> {
  const { program, args, cwd, env } = await start.command(ports);
  const child = spawn(program, args, {
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    // A group of its own: what it starts is stopped with it, and a Ctrl-C at this terminal is ours to handle.
    detached: true,
  });
  const said = lastWords(child);
  await once(child, "spawn").catch((error: unknown) => {
    throw new Unavailable(`${program} cannot be run (${String(error)}): is it installed?`);
  });
  const processId = child.pid ?? 0;
  const guard = guardOf(processId);
  const ended = once(child, "close");
  const stop = async (): Promise<void> => {
    signalGroup(processId, "SIGTERM");
    const timer = setTimeout(() => signalGroup(processId, "SIGKILL"), start.stopMs ?? 10_000);
    await ended;
    clearTimeout(timer);
    guard.kill("SIGKILL");
  };
  const url = start.url(ports);
  const deadline = performance.now() + (start.startMs ?? 60_000);
  for (;;) {
    const gone = child.exitCode !== null || child.signalCode !== null;
    const owners = await Promise.all(ports.map((port) => ownerOfPort(port, processId)));
    if (owners.includes("another's")) {
      await stop();
      return "port taken";
    }
    const listens = owners.every((owner) => owner === "ours");
    if (!gone && listens && (await isAnswering(start, url))) break;
    if (gone || performance.now() > deadline) {
      await stop();
      const how = gone ? `ended (${child.exitCode ?? child.signalCode})` : "was not ready in time";
      throw new Error(`${start.name} ${how}; its last words:\n${said()}`);
    }
    await wait(pollMs);
  }
  return { url, processId, stop, [Symbol.asyncDispose]: stop };
}

function isAnswering({ answers }: ServerStart, url: string): Promise<boolean> {
  return answers?.(url).catch(() => false) ?? Promise.resolve(true);
}

async function freePorts(count: number): Promise<readonly number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await freePort());
  return [...ports];
}

function lastWords(child: ChildProcess): () => string {
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-saidCharactersMax);
    });
  }
  return () => said.trim();
}

/** Ends the server's group when our end of its pipe closes, which the system does when we die. */
function guardOf(processId: number): ChildProcess {
  const script = 'read -r _; kill -s KILL -- "-$1"';
  const guard = spawn("sh", ["-c", script, "guard", String(processId)], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  guard.unref();
  return guard;
}

function signalGroup(processGroup: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-processGroup, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
