import { telemetrySettings } from "@heddle/telemetry/settings";
import { z } from "zod";

/** What one model server takes on at most. */
export const Limits = z.strictObject({
  /** Versions in memory at once. */
  loadedVersionsMax: z.int().positive().default(8),
  /** Rows of one request. */
  rowsMax: z.int().positive().max(10_000).default(10_000),
});
export type Limits = z.output<typeof Limits>;

/** Settings of a model server: variables `HEDDLE_MODEL_SERVER_*`, or a file. */
export const Config = z.strictObject({
  /** `host:port` to listen on; port 0 takes a free one. */
  address: z.string().default("127.0.0.1:0"),
  /** Where the objects lie that versions are copied from: a folder, or an s3:// URL. */
  objects: z.string(),
  /** Folder of its own, for the copies it loads. */
  copies: z.string(),
  /** What runs the forward pass, and its threads. */
  executor: z
    .strictObject({
      kind: z.enum(["auto", "onnx", "tensorflow", "tfjs"]).default("auto"),
      threads: z.int().positive().default(1),
    })
    .prefault({}),
  telemetry: telemetrySettings,
  limits: Limits.prefault({}),
});
