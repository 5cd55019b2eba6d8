import { z } from "zod";

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
    traceShare: z.number().min(0).max(1).exactOptional(),
  })
  .prefault({});
