import type { LogRange } from "@heddle/base";
import { type DatasetColumn, type Duckdb, readPartitionChunks } from "@heddle/feature-engine";
import type { Objects } from "@heddle/objects";
import type { ExampleBatch } from "@heddle/transform";

/** A partition as the learner reads it. */
export interface TrainingPartition {
  /** Its value, e.g. `49`. */
  readonly partition: string;
  /** Name of its file in the object store, and the SHA-256 it must have. */
  readonly object: string;
  readonly sha256: string;
  readonly rows: number;
  /** The records behind it, where it is a window of the event log; by partition of the topic. */
  readonly log?: readonly LogRange[];
}

/** Where training rows come from: the dataset's files, or a test's memory. */
export interface ExampleReader {
  /** The partition's rows in the dataset's order, in pieces of any size, with these features; each holds until the next one. */
  read(partition: TrainingPartition, features: readonly string[]): AsyncIterable<ExampleBatch>;
}

/**
 * Reads a granted dataset's Parquet files straight from the object store, one at a time.
 *
 * @param columns all columns of the dataset, as its manifest lists them.
 */
export function datasetReader(
  objects: Objects,
  db: Duckdb,
  columns: readonly DatasetColumn[],
): ExampleReader {
  return {
    read: async function* ({ object, sha256 }, features) {
      const path = await objects.path(object, sha256);
      const wanted = new Set(features);
      const own = columns.filter(({ name }) => wanted.has(name));
      yield* readPartitionChunks(path, own, { db });
    },
  };
}
