import { canonicalJson } from "@heddle/base";
import type { FeaturePlan, Filter } from "@heddle/sdk";
import { type DatasetPlan, exampleRowColumns, exampleSource } from "../plan.ts";
import { allOf, id } from "../duckdb/sql.ts";

export type AggregatePlan = Extract<FeaturePlan, { from: "aggregate" }>;

/** Aggregates over the same events by the same keys: they are computed together. */
export interface AggregateGroup {
  /** Position among the plan's groups. */
  readonly index: number;
  readonly source: string;
  readonly keys: readonly string[];
  readonly features: readonly { readonly name: string; readonly plan: AggregatePlan }[];
  /** Distinct windows in days; 0 stands for the whole history. */
  readonly windows: readonly number[];
  /** Events must have been known before the example's time, and not only by then: they make the examples themselves. */
  readonly strictly: boolean;
}

/** The aggregates of a plan, those together that are computed together; in the order of the features. */
export function aggregateGroups(plan: DatasetPlan): readonly AggregateGroup[] {
  const groups = new Map<string, AggregateGroup["features"]>();
  for (const { name, plan: feature } of plan.features) {
    if (feature.from !== "aggregate") continue;
    const key = canonicalJson([feature.source, feature.keys]);
    groups.set(key, [...(groups.get(key) ?? []), { name, plan: feature }]);
  }
  const own = exampleSource(plan.examples);
  return [...groups.values()].map((features, index) => {
    const { source = "", keys = [] } = features[0]?.plan ?? {};
    const windows = [...new Set([0, ...features.map(({ plan }) => plan.windowDays ?? 0)])];
    return { index, source, keys, features, windows, strictly: source === own };
  });
}

/** Lookup features that are keys of an aggregate. */
export function keyFeatures(plan: DatasetPlan): ReadonlySet<string> {
  const onExamples = exampleRowColumns(plan);
  const keys = aggregateGroups(plan).flatMap((group) => group.keys);
  return new Set(keys.filter((key) => !onExamples.has(key)));
}

/** What one feature needs of the events of its key. `filter` is SQL over events `s`. */
export const onlyWhere = (where: Filter | undefined): string =>
  `filter (where ${allOf(where ?? [], (c) => `s.${id(c)}`)})`;

/**
 * True when the value within a window is no difference of two running numbers: then the events of
 * each window are gathered themselves.
 */
export const needsGathering = ({ aggregate, windowDays }: AggregatePlan): boolean =>
  windowDays !== undefined && aggregate.op !== "count" && aggregate.op !== "sum";

/** The values of a group's features by its keys `k0…` and by its windows' moments, `moments`. */
export const valuesOf = (group: AggregateGroup): string => id(`values ${group.index}`);
export const keyNames = (group: AggregateGroup): string[] => group.keys.map((_, i) => `k${i}`);
export const momentName = (days: number): string => `m${days}`;
