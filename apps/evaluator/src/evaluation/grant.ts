import { HeddleError, present } from "@heddle/base";
import type { DatasetColumn } from "@heddle/feature-engine";
import { callMs, type EvaluationDeps } from "./deps.ts";
import type { GrantedDataset } from "../scoring/reader.ts";

/**
 * Asks the feature store for the right to read a dataset.
 *
 * @throws {HeddleError} FAILED_PRECONDITION EMPTY_DATASET when there is nothing to measure on.
 */
export async function grantDataset(
  { featureStore }: Pick<EvaluationDeps, "featureStore">,
  dataset: string,
  why: { readonly purpose: string; readonly reader: string },
  signal: AbortSignal,
): Promise<GrantedDataset> {
  const grant = await featureStore.grantRead({ dataset, ...why }, { timeoutMs: callMs, signal });
  const manifest = present(grant.manifest, "the manifest of a grant");
  if (manifest.rows === 0n) {
    throw new HeddleError(
      "FAILED_PRECONDITION",
      "EMPTY_DATASET",
      `dataset ${dataset} of model ${manifest.model} has no rows, and nothing can be measured on nothing: check the partitions it was built from`,
    );
  }
  return {
    dataset: manifest.dataset,
    rows: Number(manifest.rows),
    positives: Number(manifest.positives),
    // The feature store wrote these types itself.
    columns: manifest.columns.map(({ name, type }) => ({ name, type }) as DatasetColumn),
    partitions: manifest.partitions
      .filter(({ rows }) => rows > 0n)
      .map(({ object }) => {
        const { name, sha256 } = present(object, "the object of a partition");
        return { object: name, sha256 };
      }),
  };
}
