import { stopAsked } from "@heddle/base";
import { makeStateFolder } from "../folder.ts";
import type { Addresses } from "./clients.ts";
import { checkElsewhere } from "./elsewhere.ts";
import { writeHostFile } from "./host-file.ts";
import { lockStateFolder } from "./lock.ts";
import { placesOf, telemetryOf } from "./places.ts";
import { startServices } from "./services.ts";
import { checkStateFormat } from "./state-format.ts";

/**
 * Runs all services on a state folder until SIGTERM or SIGINT, then closes them in reverse order.
 *
 * @throws {HeddleError} FAILED_PRECONDITION FOLDER_UNUSABLE, STATE_FOLDER_IN_USE, STATE_FORMAT_DIFFERS, STATE_ELSEWHERE.
 */
export async function runHost(state: string, ready: (addresses: Addresses) => void): Promise<void> {
  makeStateFolder(state);
  const telemetry = telemetryOf(state, process.env);
  const places = placesOf(state, process.env);
  // It may hold a password, which no child needs.
  delete process.env["HEDDLE_STORE_URL"];
  const asked = stopAsked(process);
  using _lock = lockStateFolder(state);
  checkStateFormat(state);
  checkElsewhere(state, places);
  await using services = await startServices({ state, places, telemetry });
  const { addresses } = services;
  using _file = writeHostFile(state, { pid: process.pid, addresses, objects: places.objects });
  ready(addresses);
  await asked;
}
