import type { ModelDefinition } from "@heddle/sdk";
import type { Start } from "./cuts/start.ts";
import type { TrainingData } from "./data/dataset.ts";
import { hasStopped } from "./loop/early-stopping.ts";
import type { Stages } from "./meters/stages.ts";

/** What is fixed during an attempt. */
export interface Attempt {
  readonly job: string;
  readonly fence: number;
  readonly run: string;
  /** Content name of the definition. */
  readonly configuration: string;
  readonly definition: ModelDefinition;
  readonly data: TrainingData;
  /** Shards of the gang; 0 where the learner has its own. */
  readonly shards: number;
  /** Learners of the gang, and which of them this is; 0 leads. */
  readonly learners: number;
  readonly learner: number;
  readonly stages: Stages;
}

/** Whether nothing is left to train, because the data ended or the run stopped early, and only the export is left. */
export function isAtEnd(
  { snapshot, progress }: Start,
  { data, definition: { training } }: Pick<Attempt, "data" | "definition">,
): boolean {
  if (snapshot === undefined) return false;
  return (
    progress.cursor.partition === data.partitions.length ||
    hasStopped(training.earlyStopping, progress)
  );
}
