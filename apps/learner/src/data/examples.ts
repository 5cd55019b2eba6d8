import type { ModelInput } from "@heddle/sdk";
import { type ColumnBatch, compileTransform, type Fit } from "@heddle/transform";
import { type Batches, openBatches } from "./batches.ts";
import { fitOn } from "./fit.ts";
import { goldenRows } from "./golden.ts";
import type { ExampleReader, TrainingPartition } from "./reader.ts";
import type { DataCursor } from "./rows.ts";
import type { Stages } from "../meters/stages.ts";
import type { BatchMemory } from "./batch-memory.ts";

/** How examples become batches. */
export interface BatchPlan {
  readonly inputs: readonly ModelInput[];
  readonly fit: Fit;
  readonly batchSize: number;
  readonly seed: number;
  /** Processes that keep the parameters: a batch's ids lie together by shard. 1 when absent. */
  readonly shards?: number;
}

/** A dataset's examples: read by this thread, or by one of their own. */
export interface Examples {
  /** What the plan's transforms need to know of them, as `fitOn` has it. */
  fit(inputs: readonly ModelInput[], signal: AbortSignal): Promise<Fit>;
  /** As `goldenRows` has it. */
  golden(features: readonly string[], seed: number, signal: AbortSignal): Promise<ColumnBatch>;
  /** The batches of a plan, from a cursor on. */
  batches(plan: BatchPlan, from: DataCursor, stages: Pick<Stages, "work">): Batches;
}

/**
 * Reads on this thread.
 *
 * @param memory where the next batch lies; arrays of its own when absent.
 */
export function localExamples(
  reader: ExampleReader,
  partitions: readonly TrainingPartition[],
  memory?: () => BatchMemory,
): Examples {
  return {
    fit: (inputs, signal) => fitOn(inputs, reader, partitions, signal),
    golden: (features, seed, signal) => goldenRows(reader, partitions, features, seed, signal),
    batches: ({ inputs, fit, batchSize, seed, shards = 1 }, from, stages) => {
      const program = compileTransform(inputs, fit);
      const source = { reader, partitions, program, batchSize, seed, shards, stages };
      return openBatches({ ...source, ...(memory && { memory }) }, from);
    },
  };
}
