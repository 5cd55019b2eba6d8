import { jobFields } from "@heddle/jobclient";
import { z } from "zod";

/** What the scheduler hands to a learner: the fields of every job, and those of its recipe. */
export const TrainInput = z.strictObject({
  ...jobFields,
  peers: z.object({ registry: z.string(), featureStore: z.string() }).catchall(z.string()),
  /** Shards of the gang, `shard-0` and on; 0 for one in the learner's own process. */
  shards: z.number().int().nonnegative(),
  /** Learners of the gang; this one's number, of which 0 leads. */
  learners: z.number().int().positive().default(1),
  learner: z.number().int().nonnegative().default(0),
  /** Content name of the model definition. */
  configuration: z.string().min(1),
  /** Training dataset, by name. */
  dataset: z.string().min(1),
  /** Version to warm-start from; empty to start from nothing. */
  parentVersion: z.string().default(""),
  /** SHA-256 of the lock file of the release that runs; that of the workspace when absent. */
  lockFileSha256: z.string().exactOptional(),
  executor: z.enum(["auto", "onnx", "tensorflow", "tfjs"]).default("auto"),
  executorThreads: z.number().int().positive().default(1),
  /** Every n-th step is traced with its pull and push; as the environment says when absent. */
  traceEverySteps: z.number().int().positive().exactOptional(),
});
export type TrainInput = z.output<typeof TrainInput>;
