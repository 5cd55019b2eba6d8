import { z } from "zod";

/** Settings of an evaluator that runs alone. */
export const Config = z.strictObject({
  /** `host:port` to listen on; port 0 takes a free one. */
  address: z.string().default("127.0.0.1:0"),
  /** Folder of its LMDB environment, which holds documents and events. */
  state: z.string().default("data/evaluator"),
  /** Where the objects lie: a folder, or an s3:// URL. */
  objects: z.string().default("data/objects"),
  /** `host:port` of the registry. */
  registry: z.string(),
  mapBytesMax: z
    .int()
    .positive()
    .default(2 ** 30),
  telemetry: z
    .strictObject({
      folder: z.string().exactOptional(),
      otlpEndpoint: z.string().exactOptional(),
      logLevel: z.enum(["error", "warn", "info", "debug"]).default("info"),
    })
    .prefault({}),
});
