import { jobFields } from "@heddle/jobclient";
import { z } from "zod";

/** What the scheduler hands to an evaluation: the fields of every job, then what to measure. */
export const EvaluationInput = z.strictObject({
  ...jobFields,
  peers: z
    .object({ registry: z.string(), featureStore: z.string(), evaluator: z.string() })
    .catchall(z.string()),
  /** Version to judge. */
  version: z.string().min(1),
  /** Version it is compared with; empty when none is live. */
  liveVersion: z.string(),
  /** Evaluation dataset. */
  dataset: z.string().min(1),
  /** Ranking dataset; empty when the model does not rank. */
  rankingDataset: z.string(),
  /** Training dataset to compare the version's with; empty when there is none. */
  referenceDataset: z.string(),
});
export type EvaluationInput = z.output<typeof EvaluationInput>;
