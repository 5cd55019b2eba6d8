import { join } from "node:path";
import type { Places } from "@heddle/backends";
import { HeddleError } from "@heddle/base";
import { didYouMean, Secret } from "@heddle/config";
import { type TelemetryPlace, telemetryPlace } from "@heddle/telemetry";

const mapBytesMax = 16 * 1024 ** 3;
const prefix = "HEDDLE_";

/** What a host is told by its environment, after the prefix. */
const variables = [
  ...["STORE_URL", "STORE_URL_FILE", "LOG_URL", "LOG_USER", "LOG_PASSWORD_FILE", "OBJECTS_URL"],
  ...["OTLP_ENDPOINT", "TELEMETRY_FOLDER", "TRACE_SHARE", "TRACE_EVERY_STEPS"],
];

/**
 * A misspelt variable would be passed over, and what should lie on a server be kept here.
 *
 * @throws {HeddleError} INVALID_ARGUMENT CONFIG_INVALID.
 */
function checkNames(environment: Readonly<Record<string, string | undefined>>): void {
  for (const name of Object.keys(environment)) {
    const own = name.startsWith(prefix) ? name.slice(prefix.length) : "";
    const meant = own === "" || variables.includes(own) ? undefined : didYouMean(own, variables);
    if (meant === undefined) continue;
    throw new HeddleError(
      "INVALID_ARGUMENT",
      "CONFIG_INVALID",
      `the variable ${name} is not known; did you mean ${prefix}${meant}? Correct it, or leave it away`,
    );
  }
}

/**
 * Where a host keeps what: on the servers that HEDDLE_STORE_URL (or the file that
 * HEDDLE_STORE_URL_FILE names, where a URL with a password belongs), HEDDLE_LOG_URL (with HEDDLE_LOG_USER and HEDDLE_LOG_PASSWORD_FILE) and
 * HEDDLE_OBJECTS_URL name, and in its state folder what none of them does.
 *
 * @throws {HeddleError} INVALID_ARGUMENT CONFIG_INVALID for a variable that is nearly one of these.
 */
export function placesOf(
  state: string,
  environment: Readonly<Record<string, string | undefined>>,
): Places {
  checkNames(environment);
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
