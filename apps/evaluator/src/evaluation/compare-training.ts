import { present } from "@heddle/base";
import type { DataCheck } from "@heddle/proto/evaluator";
import type { ModelDefinition } from "@heddle/sdk";
import { type DatasetFacts, dataChecks } from "../data-checks/data-checks.ts";
import { callMs, type EvaluationDeps } from "./deps.ts";

/** The checks of a version's training data against the reference's, from their manifests; none without a reference. */
export async function trainingChecks(
  { featureStore }: Pick<EvaluationDeps, "featureStore">,
  trainingDataset: string,
  { referenceDataset }: { readonly referenceDataset: string },
  definition: ModelDefinition,
  signal: AbortSignal,
): Promise<readonly DataCheck[]> {
  if (referenceDataset === "") return [];
  const facts = async (dataset: string): Promise<DatasetFacts> => {
    const answer = await featureStore.getDataset({ dataset }, { timeoutMs: callMs, signal });
    const { rows, positives, slices } = present(answer.manifest, `manifest of ${dataset}`);
    return {
      rows: Number(rows),
      positives: Number(positives),
      slices: slices.map((of) => ({
        slice: of.slice,
        rows: Number(of.rows),
        positives: Number(of.positives),
      })),
    };
  };
  const [now, reference] = await Promise.all([facts(trainingDataset), facts(referenceDataset)]);
  return dataChecks(now, reference, definition);
}
