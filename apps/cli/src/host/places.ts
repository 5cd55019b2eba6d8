import { join } from "node:path";
import type { Places } from "@heddle/backends";
import { placeVariables } from "@heddle/backends/variables";
import { HeddleError } from "@heddle/base";
import { didYouMean, Secret } from "@heddle/config";
import { type TelemetryPlace, telemetryPlace, telemetryVariableNames } from "@heddle/telemetry";

const mapBytesMax = 16 * 1024 ** 3;
const prefix = "HEDDLE_";

/** What a host is told by its environment, after the prefix. */
const known = [...Object.values(placeVariables), ...telemetryVariableNames].map((name) =>
  name.slice(prefix.length),
);

/**
 * A misspelt variable would be passed over, and what should lie on a server be kept here.
 *
 * @throws {HeddleError} INVALID_ARGUMENT CONFIG_INVALID.
 */
function checkNames(environment: Readonly<Record<string, string | undefined>>): void {
  for (const name of Object.keys(environment)) {
    const own = name.startsWith(prefix) ? name.slice(prefix.length) : "";
    const meant = own === "" || known.includes(own) ? undefined : didYouMean(own, known);
    if (meant === undefined) continue;
    throw new HeddleError(
      "INVALID_ARGUMENT",
      "CONFIG_INVALID",
      `the variable ${name} is not known; did you mean ${prefix}${meant}? Correct it, or leave it away`,
    );
  }
}

/**
 * What reads a file of variables may keep the quotes around a value, or a blank behind it: `docker run --env-file` does.
 *
 * @throws {HeddleError} INVALID_ARGUMENT CONFIG_INVALID, without the value: it may hold a password.
 */
function checkEnds(name: string, value: string): void {
  if (!/^["'\s]|["'\s]$/.test(value)) return;
  throw new HeddleError(
    "INVALID_ARGUMENT",
    "CONFIG_INVALID",
    `the value of ${name} begins or ends with a quote or a blank, which are taken for a part of it: leave them away, where the variable is set`,
  );
}

/**
 * Where a host keeps what: on the servers that HEDDLE_STORE_URL (or the file that
 * HEDDLE_STORE_URL_FILE names, where a URL with a password belongs), HEDDLE_LOG_URL (with HEDDLE_LOG_USER and HEDDLE_LOG_PASSWORD_FILE) and
 * HEDDLE_OBJECTS_URL name, and in its state folder what none of them does.
 *
 * @throws {HeddleError} INVALID_ARGUMENT CONFIG_INVALID for a variable that is nearly one of these, or a value in quotes.
 */
export function placesOf(
  state: string,
  environment: Readonly<Record<string, string | undefined>>,
): Places {
  checkNames(environment);
  const given: Partial<Record<keyof typeof placeVariables, string>> = Object.fromEntries(
    Object.entries(placeVariables).flatMap(([place, name]) => {
      const value = environment[name];
      if (!value) return [];
      checkEnds(name, value);
      return [[place, value]];
    }),
  );
  const { storeUrl, objects = join(state, "objects"), ...others } = given;
  return {
    ...{ state, mapBytesMax, objects, ...others },
    ...(storeUrl !== undefined && { storeUrl: new Secret(storeUrl) }),
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
