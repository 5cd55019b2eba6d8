import { HeddleError, present } from "@heddle/base";
import type { DatasetManifest } from "@heddle/proto/feature-store";
import type { ModelDefinition } from "@heddle/sdk";
import { callMs, type TrainDeps } from "./deps.ts";
import type { ExampleReader, TrainingPartition } from "./reader.ts";

/** A dataset this job may read. */
export interface TrainingData {
  readonly dataset: string;
  /** Those that have rows, in order. */
  readonly partitions: readonly TrainingPartition[];
  readonly rows: number;
  /** Names of all features in its files. */
  readonly features: readonly string[];
  readonly reader: ExampleReader;
}

/** Columns of a dataset that are no features. */
const otherColumns = ["label", "weight", "example_time", "visit", "event_id"];

/**
 * Asks the feature store for the right to read.
 *
 * @throws {HeddleError} FAILED_PRECONDITION EMPTY_DATASET when there is nothing to learn from.
 */
export async function grantedDataset(
  { featureStore, telemetry, openReader }: TrainDeps,
  { name: model, purpose }: ModelDefinition,
  { dataset, job }: { readonly dataset: string; readonly job: string },
  signal: AbortSignal,
): Promise<TrainingData> {
  const request = { dataset, purpose, reader: job };
  const grant = await featureStore.grantRead(request, { timeoutMs: callMs, signal });
  const manifest = present(grant.manifest, "the manifest of a grant");
  const rows = Number(manifest.rows);
  if (rows === 0) {
    throw new HeddleError(
      "FAILED_PRECONDITION",
      "EMPTY_DATASET",
      `dataset ${dataset} of model ${model} has no rows, and a model trained on nothing is none: check the partitions it was built from`,
    );
  }
  const positives = Number(manifest.positives);
  if (positives === 0 || positives === rows) {
    telemetry.log.warn(
      { dataset, rows, positives },
      "all examples of the dataset have the same label",
    );
  }
  return {
    dataset,
    partitions: partitionsOf(manifest),
    rows,
    features: manifest.columns
      .map(({ name }) => name)
      .filter((name) => !otherColumns.includes(name)),
    reader: openReader(manifest.columns),
  };
}

function partitionsOf({ partitions }: DatasetManifest): TrainingPartition[] {
  return partitions
    .filter(({ rows }) => rows > 0n)
    .map(({ partition, object, rows }) => {
      const file = present(object, `the file of partition ${partition}`);
      return { partition, object: file.name, sha256: file.sha256, rows: Number(rows) };
    });
}
