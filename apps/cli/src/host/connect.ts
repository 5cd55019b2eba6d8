import { fork } from "node:child_process";
import { mkdirSync, openSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { HeddleError, isHeddleError } from "@heddle/base";
import { parentVariable } from "@heddle/jobs";
import { Health } from "@heddle/proto/health";
import { connect } from "@heddle/rpc";
import { startTelemetry, type Telemetry } from "@heddle/telemetry";
import { type Addresses, type Clients, connectAll } from "./clients.ts";
import { readHostFile } from "./host-file.ts";
import { telemetryOf } from "./places.ts";

const probeMs = 1_000;
const startMs = 20_000;
/** How often a folder that another command uses is looked at: each look may start a process. */
const lookEveryMs = 500;

/** Runs `use` against the host of a state folder: the one that runs, or one started for as long. */
export async function withHost<T>(
  state: string,
  use: (clients: Clients) => Promise<T>,
): Promise<T> {
  const place = telemetryOf(state, process.env);
  await using telemetry = await startTelemetry({ service: "cli", ...place, logLevel: "error" });
  await using host = await hostOf(state, telemetry);
  await using clients = connectAll(host.addresses, telemetry, userInfo().username);
  return await use(clients);
}

interface Host extends AsyncDisposable {
  readonly addresses: Addresses;
}

/**
 * The host that runs, or one for as long as this command takes. Another command may be starting or ending one of its own: then it is waited for.
 *
 * @throws {HeddleError} STATE_FOLDER_IN_USE when that lasts.
 */
async function hostOf(state: string, telemetry: Telemetry): Promise<Host> {
  for (const until = performance.now() + startMs; ; await sleep(lookEveryMs)) {
    try {
      return (await running(state, telemetry)) ?? (await startForNow(state));
    } catch (error) {
      if (!isHeddleError(error, "STATE_FOLDER_IN_USE") || performance.now() > until) throw error;
    }
  }
}

/** The host whose file lies in the folder, if it still answers. */
async function running(state: string, telemetry: Telemetry): Promise<Host | undefined> {
  const file = readHostFile(state);
  if (file === undefined) return undefined;
  await using health = connect(Health, file.addresses.scheduler, { telemetry, actor: "cli" });
  try {
    // Whatever it says: one that lacks a server says NOT_SERVING, and its calls say why.
    await health.check({}, { timeoutMs: probeMs });
    return { addresses: file.addresses, [Symbol.asyncDispose]: () => Promise.resolve() };
  } catch {
    return undefined; // It died: its lock is free, and starting another one says so if it is not.
  }
}

/** What the child says when it is up, or why it is not. */
export type HostMessage =
  | { readonly kind: "ready"; readonly addresses: Addresses }
  | {
      readonly kind: "failed";
      readonly code: string;
      readonly reason: string;
      readonly message: string;
    };

/** A host in a process of its own, so that its event loop is not ours; it dies with us. */
async function startForNow(state: string): Promise<Host> {
  mkdirSync(join(state, "logs"), { recursive: true });
  const log = openSync(join(state, "logs", "host.log"), "a");
  const child = fork(join(import.meta.dirname, "host-main.ts"), [state], {
    stdio: ["ignore", log, log, "ipc"],
    env: { ...process.env, [parentVariable]: String(process.pid) },
  });
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const message = await new Promise<HostMessage>((resolve) => {
    const late = setTimeout(() => resolve(failure("no sign of life")), startMs);
    const failure = (why: string): HostMessage => ({
      kind: "failed",
      code: "UNAVAILABLE",
      reason: "HOST_NOT_STARTED",
      message: `the host of ${state} did not start (${why}); see ${join(state, "logs", "host.log")}`,
    });
    child.once("message", (said: HostMessage) => resolve(said));
    child.once("exit", (code, signal) => resolve(failure(`exit ${signal ?? code}`)));
    void gone.then(() => clearTimeout(late));
    child.once("message", () => clearTimeout(late));
  });
  if (message.kind === "failed") {
    child.kill("SIGKILL");
    throw new HeddleError(message.code as "UNAVAILABLE", message.reason, message.message);
  }
  return {
    addresses: message.addresses,
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGTERM");
      await gone;
    },
  };
}
