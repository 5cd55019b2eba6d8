import { join } from "node:path";

const apps = join(import.meta.dirname, "../../..");

/** Main files of the programs that a scheduler starts as jobs, by the names that it knows them by. */
export const programs = {
  dataset: join(apps, "feature-store/src/dataset-job.ts"),
  learner: join(apps, "learner/src/train-job.ts"),
  "learner-alone": join(import.meta.dirname, "train-alone-job.ts"),
  shard: join(apps, "parameter-server/src/shard-job.ts"),
  evaluation: join(apps, "evaluator/src/evaluation-job.ts"),
};
