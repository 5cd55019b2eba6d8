import { join } from "node:path";
import type { Places } from "@heddle/backends";
import { Secret } from "@heddle/config";
import { type TelemetryPlace, telemetryPlace } from "@heddle/telemetry";

const mapBytesMax = 16 * 1024 ** 3;

/**
 * Where a host keeps what: on the servers that HEDDLE_STORE_URL (or the file that
 * HEDDLE_STORE_URL_FILE names, where a URL with a password belongs), HEDDLE_LOG_URL (with HEDDLE_LOG_USER and HEDDLE_LOG_PASSWORD_FILE) and
 * HEDDLE_OBJECTS_URL name, and in its state folder what none of them does.
 */
export function placesOf(
  state: string,
  environment: Readonly<Record<string, string | undefined>>,
): Places {
  const of = (name: string): string | undefined => environment[name] || undefined;
  const storeUrl = of("HEDDLE_STORE_URL");
  const storeUrlFile = of("HEDDLE_STORE_URL_FILE");
  const logUrl = of("HEDDLE_LOG_URL");
  const logUser = of("HEDDLE_LOG_USER");
  const logPasswordFile = of("HEDDLE_LOG_PASSWORD_FILE");
  return {
    ...{ state, mapBytesMax, objects: of("HEDDLE_OBJECTS_URL") ?? join(state, "objects") },
    ...(storeUrl === undefined ? {} : { storeUrl: new Secret(storeUrl) }),
    ...(storeUrlFile === undefined ? {} : { storeUrlFile }),
    ...(logUrl === undefined ? {} : { logUrl }),
    ...(logUser === undefined ? {} : { logUser }),
    ...(logPasswordFile === undefined ? {} : { logPasswordFile }),
  };
}

/**
 * Where a host, its jobs and its commands bring spans and metrics: to the collector that HEDDLE_OTLP_ENDPOINT names, else to files of the
 * state folder. HEDDLE_TRACE_SHARE and HEDDLE_TRACE_EVERY_STEPS say how many.
 */
export function telemetryOf(
  state: string,
  environment: Readonly<Record<string, string | undefined>>,
): TelemetryPlace {
  return { ...telemetryPlace(environment), folder: join(state, "telemetry") };
}
