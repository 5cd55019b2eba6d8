import { HeddleError } from "@heddle/base";
import type { TelemetryOptions } from "./start.ts";

/** Numbers that a variable may have. Without a schema: every command reads these, and a schema's library is a tenth of its start. */
interface Numbers {
  readonly expected: string;
  readonly has: (value: number) => boolean;
}
const shares: Numbers = {
  expected: "a number from 0 to 1",
  has: (value) => value >= 0 && value <= 1,
};
const counts: Numbers = {
  expected: "a whole number from 1 on",
  has: (value) => Number.isSafeInteger(value) && value > 0,
};

/** Where spans and metrics of a process go, and how many: what processes hand on to those that they start. */
export interface TelemetryPlace extends Pick<
  TelemetryOptions,
  "folder" | "otlpEndpoint" | "traceShare"
> {
  /** Every n-th training step is traced, with its calls to the shards; 100 when absent. */
  readonly traceEverySteps?: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The variables of a process that name its place. */
const variables = {
  folder: "HEDDLE_TELEMETRY_FOLDER",
  otlpEndpoint: "HEDDLE_OTLP_ENDPOINT",
  traceShare: "HEDDLE_TRACE_SHARE",
  traceEverySteps: "HEDDLE_TRACE_EVERY_STEPS",
} as const;

/** All of them, for whoever looks for misspelt ones. */
export const telemetryVariableNames: readonly string[] = Object.values(variables);

/**
 * The place that the variables of a process name.
 *
 * @throws {HeddleError} INVALID_ARGUMENT TELEMETRY_INVALID.
 */
export function telemetryPlace(environment: Environment): TelemetryPlace {
  const folder = environment[variables.folder];
  const otlpEndpoint = environment[variables.otlpEndpoint];
  if (otlpEndpoint && !/^https?:\/\/[^/\s]/.test(otlpEndpoint)) {
    throw new HeddleError(
      "INVALID_ARGUMENT",
      "TELEMETRY_INVALID",
      `HEDDLE_OTLP_ENDPOINT is "${otlpEndpoint}", and must be the URL of a collector, as http://127.0.0.1:4317: correct it, or leave it away`,
    );
  }
  const share = numberIn(environment, variables.traceShare, shares);
  const steps = numberIn(environment, variables.traceEverySteps, counts);
  return {
    ...(folder && { folder }),
    ...(otlpEndpoint && { otlpEndpoint }),
    ...(share !== undefined && { traceShare: share }),
    ...(steps !== undefined && { traceEverySteps: steps }),
  };
}

/** The variables that name a place. */
export function telemetryVariables(place: TelemetryPlace): Record<string, string> {
  const fields = Object.keys(variables) as (keyof typeof variables)[];
  return Object.fromEntries(
    fields.flatMap((field) => {
      const value = place[field];
      return value === undefined ? [] : [[variables[field], String(value)]];
    }),
  );
}

function numberIn(environment: Environment, name: string, numbers: Numbers) {
  const text = environment[name] ?? "";
  if (text === "") return undefined;
  const value = Number(text);
  if (numbers.has(value)) return value;
  throw new HeddleError(
    "INVALID_ARGUMENT",
    "TELEMETRY_INVALID",
    `${name} is "${text}", and must be ${numbers.expected}: correct it, or leave it away`,
  );
}
