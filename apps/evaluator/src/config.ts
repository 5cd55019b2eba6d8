import { programSettings } from "@heddle/backends";
import { z } from "zod";

/** Settings of an evaluator that runs alone. */
export const Config = z.strictObject({
  ...programSettings("data/evaluator"),
  /** `host:port` of the registry. */
  registry: z.string(),
});
