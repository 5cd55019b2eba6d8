import { HeddleError, present, readLogRange } from "@heddle/base";
import type { DatasetColumn } from "@heddle/feature-engine";
import type { Column, DatasetManifest } from "@heddle/proto/feature-store";
import type { ModelDefinition } from "@heddle/sdk";
import { callMs, type TrainDeps } from "../deps.ts";
import type { Examples } from "./examples.ts";
import { checkLogTraining, logPlaces, type LogPlaces } from "./log-place.ts";
import type { TrainingPartition } from "./reader.ts";

/** A dataset this job may read. */
export interface TrainingData {
  readonly dataset: string;
  /** Those that have rows, in order. */
  readonly partitions: readonly TrainingPartition[];
  readonly rows: number;
  readonly examples: Examples;
  /** Where its windows lie in the event log; absent where it is of files. */
  readonly log?: LogPlaces;
}

const columnTypes: readonly string[] = ["category", "int64", "float64", "timestamp", "boolean"];

/**
 * Asks the feature store for the right to read.
 *
 * @throws {HeddleError} FAILED_PRECONDITION EMPTY_DATASET when there is nothing to learn from; LOG_GAP, LOG_NEEDS_EXACT.
 */
export async function grantedDataset(
  {
    featureStore,
    telemetry,
    openExamples,
  }: Pick<TrainDeps, "featureStore" | "telemetry" | "openExamples">,
  definition: ModelDefinition,
  { dataset, job }: { readonly dataset: string; readonly job: string },
  signal: AbortSignal,
): Promise<TrainingData> {
  const { name: model, purpose } = definition;
  const request = { dataset, purpose, reader: job };
  const grant = await featureStore.grantRead(request, { timeoutMs: callMs, signal });
  const manifest = present(grant.manifest, "the manifest of a grant");
  telemetry.link(grant.traceparent);
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
  const columns = manifest.columns.filter(isReadable);
  const partitions = partitionsOf(manifest);
  const log = logPlaces(partitions);
  if (log !== undefined) checkLogTraining(definition);
  const examples = openExamples(columns, partitions);
  return { dataset, partitions, rows, examples, ...(log && { log }) };
}

/** A column of a type that a later release adds is none that this release's plans can name. */
function isReadable(column: { name: string; type: string }): column is DatasetColumn & Column {
  return columnTypes.includes(column.type);
}

function partitionsOf({ partitions }: DatasetManifest): TrainingPartition[] {
  return partitions
    .filter(({ rows }) => rows > 0n)
    .map(({ partition, object, rows, log }) => {
      const file = present(object, `the file of partition ${partition}`);
      const read = { partition, object: file.name, sha256: file.sha256, rows: Number(rows) };
      return log.length === 0 ? read : { ...read, log: log.map(readLogRange) };
    });
}
