export {
  telemetryPlace,
  type TelemetryPlace,
  telemetryVariableNames,
  telemetryVariables,
} from "./place.ts";
export { silentTelemetry } from "./silent.ts";
export type { SpanLine } from "./span-file.ts";
export { startTelemetry, type TelemetryOptions } from "./start.ts";
export { traceIdOf, unkeptTraceparent } from "./traceparent.ts";
export type {
  Attributes,
  Counter,
  Histogram,
  Logger,
  SpanKind,
  SpanOptions,
  Telemetry,
} from "./telemetry.ts";
