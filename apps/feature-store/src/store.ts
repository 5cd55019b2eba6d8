import type { FeatureViewDefinition } from "@heddle/sdk";
import { type Aggregates, collectionsOf, type StoreDeps } from "@heddle/store";
import type { Dataset } from "./dataset/dataset.ts";
import type { Source } from "./definitions/source.ts";

/** A version of a feature view; it never changes. */
export interface FeatureView {
  readonly definition: FeatureViewDefinition;
  readonly digest: string;
  readonly author: string;
  readonly appliedTimeMs: number;
}

export interface FeatureStoreStore {
  readonly sources: Aggregates<Source>;
  /** By `name@version`. */
  readonly views: Aggregates<FeatureView>;
  readonly datasets: Aggregates<Dataset>;
}

export function openFeatureStoreStore(deps: StoreDeps): FeatureStoreStore {
  const open = collectionsOf(deps);
  return {
    sources: open("source", "sources"),
    views: open("feature view", "feature-views"),
    datasets: open("dataset", "datasets"),
  };
}
