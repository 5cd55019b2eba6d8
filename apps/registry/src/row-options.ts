import type { RowOptions } from "@heddle/sdk";
import { z } from "zod";

/** How a definition may have shards keep embedding rows. */
export const RowOptionsSchema: z.ZodType<RowOptions> = z.strictObject({
  storage: z.enum(["float32", "bfloat16"]).exactOptional(),
});
