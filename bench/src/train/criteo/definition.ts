import {
  category,
  defineModel,
  embedding,
  log1p,
  type ModelDefinition,
  numeric,
  value,
  withDefault,
} from "@heddle/sdk";

/** Shape of a table of advertisement clicks as Criteo published it. */
export const fields = 26;
export const numbers = 13;
/** Values that a field can take. */
export const cardinality = 100_000;

export const categoryName = (field: number): string => `c${field}`;
export const numberName = (number: number): string => `n${number}`;

/**
 * Wide & deep over the table. A row of the embeddings has 16 values: the wide weight and 15 of the embedding, so the first layer
 * reads 13 + 26 × 15 = 403.
 */
export function clickModel(batchSize: number, microBatches = 1): ModelDefinition {
  const numerics = Array.from({ length: numbers }, (_, n) =>
    numeric(numberName(n), log1p(withDefault(value(numberName(n)), 0))),
  );
  const embeddings = Array.from({ length: fields }, (_, f) =>
    embedding(categoryName(f), category(categoryName(f))),
  );
  const training = {
    ...{ batchSize, seed: 1, embeddingDeviation: 0.01, lag: 1 as const },
    optimizer: {
      kind: "adagrad" as const,
      embeddingRate: 0.05,
      denseRate: 0.02,
      initialAccumulator: 0.1,
    },
    // No snapshot but the last.
    snapshotSteps: 1_000_000,
    ...(microBatches === 1 ? {} : { microBatches }),
  };
  return defineModel({
    ...{
      name: "clicks",
      owner: "bench@example.org",
      author: "bench@example.org",
      purpose: "bench",
    },
    examples: { kind: "rows", source: "clicks", label: "label" },
    partitioning: { by: "none" },
    views: [],
    inputs: [...numerics, ...embeddings],
    architecture: { kind: "wide-and-deep", dimension: 15, hidden: [256, 128] },
    training,
    metrics: [],
    slices: [],
    gate: {
      ...{ aucDropMax: 1, logLossRiseMax: 1, calibrationErrorMax: 1, beatFallback: false },
      ...{ positivesMin: 1, sliceShareChangeMax: 100 },
    },
    fallback: { name: "none" },
  });
}
