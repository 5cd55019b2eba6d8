import { HeddleError } from "@heddle/base";
import { z } from "zod";
import type { TelemetryOptions } from "./start.ts";

const traceShare = z.number().min(0).max(1);
const traceEverySteps = z.int().positive();

/** What a service that runs alone is told of its telemetry; a part of its settings. */
export const telemetrySettings = z
  .strictObject({
    /** Where spans and metrics are written as files. */
    folder: z.string().exactOptional(),
    /** OTLP gRPC endpoint of a collector, which gets them instead. */
    otlpEndpoint: z.string().exactOptional(),
    logFile: z.string().exactOptional(),
    logLevel: z.enum(["error", "warn", "info", "debug"]).default("info"),
    /** Of the traces that begin here the share that is kept. */
    traceShare: traceShare.exactOptional(),
  })
  .prefault({});

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
  const share = numberIn(environment, variables.traceShare, traceShare);
  const steps = numberIn(environment, variables.traceEverySteps, traceEverySteps);
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

function numberIn(environment: Environment, name: string, schema: z.ZodType<number>) {
  const text = environment[name] ?? "";
  if (text === "") return undefined;
  const { success, data } = schema.safeParse(Number(text));
  if (success) return data;
  const expected = schema === traceShare ? "a number from 0 to 1" : "a whole number from 1 on";
  throw new HeddleError(
    "INVALID_ARGUMENT",
    "TELEMETRY_INVALID",
    `${name} is "${text}", and must be ${expected}: correct it, or leave it away`,
  );
}
