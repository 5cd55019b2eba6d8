import type { RowOptions } from "@heddle/sdk";
import { z } from "zod";

/** How a definition may have shards keep embedding rows, and how these may travel. */
export const RowOptionsSchema: z.ZodType<RowOptions> = z.strictObject({
  storage: z.enum(["float32", "bfloat16"]).exactOptional(),
  admission: z.strictObject({ probability: z.number().positive().max(1) }).exactOptional(),
  wire: z.enum(["float32", "bfloat16", "int8"]).exactOptional(),
});
