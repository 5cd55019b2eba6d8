import type { Addresses } from "./clients.ts";
import { logSettings } from "./event-log.ts";
import { writeHostFile } from "./host-file.ts";
import { lockStateFolder } from "./lock.ts";
import { startServices } from "./services.ts";

/**
 * Runs all services on a state folder until SIGTERM or SIGINT, then closes them in reverse order.
 * A second signal, or 25 s, ends it at once: losing the process at any moment is harmless.
 *
 * @throws {HeddleError} FAILED_PRECONDITION STATE_FOLDER_IN_USE.
 */
export async function runHost(state: string, ready: (addresses: Addresses) => void): Promise<void> {
  const { HEDDLE_OTLP_ENDPOINT: otlpEndpoint, HEDDLE_OBJECTS_URL: objectsUrl } = process.env;
  const objects = objectsUrl === undefined || objectsUrl === "" ? {} : { objectsUrl };
  const log = logSettings(process.env);
  const asked = stopAsked();
  using _lock = lockStateFolder(state);
  await using services = await startServices({
    state,
    ...(otlpEndpoint === undefined ? {} : { otlpEndpoint }),
    ...objects,
    ...(log === undefined ? {} : { log }),
  });
  using _file = writeHostFile(state, {
    pid: process.pid,
    addresses: services.addresses,
    ...objects,
  });
  ready(services.addresses);
  await asked;
}

const graceMs = 25_000;

/** `process.exit` would wait for a store write under way, and that write for this thread. */
const die = (): void => {
  process.kill(process.pid, "SIGKILL");
};

function stopAsked(): Promise<void> {
  return new Promise((resolve) => {
    let asked = false;
    const stop = (): void => {
      if (asked) die();
      asked = true;
      setTimeout(die, graceMs).unref();
      resolve();
    };
    process.on("SIGTERM", stop);
    process.on("SIGINT", stop);
  });
}
