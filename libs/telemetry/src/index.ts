export { silentTelemetry } from "./silent.ts";
export type { SpanLine } from "./span-file.ts";
export { startTelemetry, type TelemetryOptions } from "./start.ts";
export type {
  Attributes,
  Counter,
  Histogram,
  Logger,
  SpanOptions,
  Telemetry,
} from "./telemetry.ts";
