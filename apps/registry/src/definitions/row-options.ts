import type { RowAdmission, RowOptions } from "@heddle/sdk";
import { z } from "zod";

/** A row's last step is kept in 32 bits. */
const expiryStepsMax = 4_000_000_000;
/** Beyond it an id would wait longer than it could be of use. */
const admissionCountMax = 1_000;

const RowAdmissionSchema: z.ZodType<RowAdmission> = z.union(
  [
    z.strictObject({ probability: z.number().positive().max(1) }),
    z.strictObject({ count: z.int().min(2).max(admissionCountMax) }),
  ],
  {
    error:
      "expected either { probability } from above 0 to 1, or { count }, a whole number from 2 to 1,000",
  },
);

/** How a definition may have shards keep embedding rows, and how these may travel. */
export const RowOptionsSchema: z.ZodType<RowOptions> = z.strictObject({
  storage: z.enum(["float32", "bfloat16"]).exactOptional(),
  admission: RowAdmissionSchema.exactOptional(),
  expiry: z.strictObject({ steps: z.int().positive().max(expiryStepsMax) }).exactOptional(),
  wire: z.enum(["float32", "bfloat16", "int8"]).exactOptional(),
});
