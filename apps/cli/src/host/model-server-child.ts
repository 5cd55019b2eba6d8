import { type ChildProcess, fork } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { backoffMs, defaultBackoff, HeddleError } from "@heddle/base";
import { parentVariable } from "@heddle/jobs";
import type { Logger, TelemetryPlace } from "@heddle/telemetry";

const entry = join(import.meta.dirname, "../../../model-server/src/main.ts");
const startMs = 20_000;
const stopMs = 5_000;

export interface ModelServerChild extends AsyncDisposable {
  /** `host:port`; the same after a restart. */
  readonly address: string;
}

/**
 * Runs a model server in a process of its own: its forward passes hold their thread, and the host's
 * must stay free. One that dies is started again at the same address; sync brings back what it served.
 */
export async function startModelServerChild(
  {
    state,
    objects,
    telemetry,
  }: {
    readonly state: string;
    readonly objects: string;
    readonly telemetry: TelemetryPlace;
  },
  log: Logger,
): Promise<ModelServerChild> {
  const copies = join(state, "model-server");
  mkdirSync(copies, { recursive: true });
  const settings = {
    OBJECTS: objects,
    COPIES: copies,
    TELEMETRY__LOG_FILE: join(state, "logs", "model-server.log"),
    ...telemetrySettingsOf(telemetry),
  };
  let closing = false;
  let child = spawnAt("127.0.0.1:0", settings);
  const address = await addressOf(child);
  watch(0);
  return {
    address,
    [Symbol.asyncDispose]: async () => {
      closing = true;
      await stopped(child);
    },
  };

  function watch(restarts: number): void {
    const startedMs = performance.now();
    child.once("exit", (code, signal) => {
      if (closing) return;
      // A server that ran for a while failed for a new reason: its backoff begins anew.
      const again = performance.now() - startedMs > 60_000 ? 1 : restarts + 1;
      log.error({ code, signal, restarts: again }, "model server died and is started again");
      setTimeout(
        () => {
          if (closing) return;
          child = spawnAt(address, settings);
          watch(again);
        },
        backoffMs(defaultBackoff, again, 0),
      );
    });
  }
}

function telemetrySettingsOf({ folder, otlpEndpoint, traceShare }: TelemetryPlace) {
  return {
    ...(folder !== undefined && { TELEMETRY__FOLDER: folder }),
    ...(otlpEndpoint !== undefined && { TELEMETRY__OTLP_ENDPOINT: otlpEndpoint }),
    ...(traceShare !== undefined && { TELEMETRY__TRACE_SHARE: String(traceShare) }),
  };
}

function spawnAt(address: string, settings: Readonly<Record<string, string>>): ChildProcess {
  const variables = Object.entries({ ADDRESS: address, ...settings }).map(([name, value]) => [
    `HEDDLE_MODEL_SERVER_${name}`,
    value,
  ]);
  return fork(entry, [], {
    env: {
      ...process.env,
      ...(Object.fromEntries(variables) as Record<string, string>),
      [parentVariable]: String(process.pid),
    },
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
}

async function addressOf(child: ChildProcess): Promise<string> {
  return await new Promise((resolve, reject) => {
    const fail = (why: string): void => {
      clearTimeout(late);
      const message = `the model server did not start (${why}); see logs/host.log in the state folder`;
      reject(new HeddleError("UNAVAILABLE", "MODEL_SERVER_NOT_STARTED", message));
    };
    const late = setTimeout(() => fail("no sign of life"), startMs);
    child.once("exit", (code, signal) => fail(`exit ${signal ?? code}`));
    child.once("message", (message: { readonly address: string }) => {
      clearTimeout(late);
      resolve(message.address);
    });
  });
}

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.kill("SIGTERM");
  const force = setTimeout(() => child.kill("SIGKILL"), stopMs);
  await gone;
  clearTimeout(force);
}
