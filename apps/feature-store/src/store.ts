import type { Clock } from "@heddle/base";
import type { FeatureViewDefinition } from "@heddle/sdk";
import {
  type Aggregate,
  type Aggregates,
  type DocumentStore,
  type Known,
  openAggregates,
} from "@heddle/store";
import type { Dataset } from "./dataset.ts";
import type { Source } from "./source.ts";

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

export function openFeatureStoreStore(
  store: DocumentStore,
  deps: { readonly clock: Clock; readonly random: () => number },
): FeatureStoreStore {
  const open = <State>(noun: string, collection: string): Aggregates<State> =>
    openAggregates(store.collection<Aggregate<State>>(collection), { noun, ...deps });
  return {
    sources: open("source", "sources"),
    views: open("feature view", "feature-views"),
    datasets: open("dataset", "datasets"),
  };
}

/** All aggregates of a collection, page by page. */
export async function listAll<State>(aggregates: Aggregates<State>): Promise<Known<State>[]> {
  const all: Known<State>[] = [];
  let after: string | undefined;
  do {
    const page = await aggregates.list(after === undefined ? {} : { after });
    all.push(...page.items);
    after = page.next;
  } while (after !== undefined);
  return all;
}
