import { backendSettings } from "@heddle/backends";
import { telemetrySettings } from "@heddle/telemetry";
import { z } from "zod";

/** Settings of an evaluator that runs alone. */
export const Config = z.strictObject({
  /** `host:port` to listen on; port 0 takes a free one. */
  address: z.string().default("127.0.0.1:0"),
  ...backendSettings("data/evaluator"),
  /** `host:port` of the registry. */
  registry: z.string(),
  telemetry: telemetrySettings,
});
