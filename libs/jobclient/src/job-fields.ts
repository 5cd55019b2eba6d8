import { z } from "zod";

/** Fields of every job's input, as its program reads them; `peers` it names itself. */
export const jobFields = {
  job: z.string().min(1),
  fence: z.int().nonnegative(),
  scheduler: z.string(),
  objects: z.string(),
  traceparent: z.string().exactOptional(),
  /** What it is in its gang, `learner-1` or `shard-0`; for messages alone. */
  role: z.string().exactOptional(),
};
