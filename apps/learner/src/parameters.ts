import {
  type DenseParameter,
  denseParameters,
  type EmbeddingTable,
  embeddingTables,
  trainStep,
} from "@heddle/model";
import type { ModelDefinition } from "@heddle/sdk";

/** What a definition keeps on the shards. */
export interface Parameters {
  readonly tables: readonly EmbeddingTable[];
  readonly dense: readonly Omit<DenseParameter, "shape">[];
}

export function parametersOf(definition: ModelDefinition): Parameters {
  const embeds = trainStep(definition).spec.inputs["embedded"] !== undefined;
  return {
    tables: embeds ? embeddingTables(definition) : [],
    dense: denseParameters(definition),
  };
}
