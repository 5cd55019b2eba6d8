/** How a feature's value is used: by identity (`category`) or by size. */
export type FeatureType = "category" | "int64" | "float64" | "timestamp" | "boolean";

/** Keeps the events for which every condition holds. */
export type Filter = readonly {
  readonly column: string;
  readonly is: "=" | "!=" | "<" | "<=" | ">" | ">=";
  readonly value: number | string | boolean;
}[];

/**
 * What to compute of the events of one key within the window, as of the example's time.
 * Sums are over integer columns only, so that no order of rows changes a bit.
 */
export type Aggregate =
  | { readonly op: "count" }
  | { readonly op: "count-distinct"; readonly column: string }
  | { readonly op: "sum"; readonly column: string }
  | { readonly op: "latest"; readonly column: string }
  | { readonly op: "latest-time" };

/** Where a feature's raw value comes from: a typed plan, compiled to each engine. */
export type FeaturePlan =
  /** A column of the example row itself (its keys, its candidate's columns). */
  | { readonly from: "example"; readonly column: string; readonly type: FeatureType }
  /** The row of a reference source with the same key. Null where there is none. */
  | {
      readonly from: "lookup";
      readonly source: string;
      readonly keys: readonly string[];
      readonly column: string;
      readonly type: FeatureType;
    }
  /** An aggregate over events known (`available_time`) at the example's time. Counts and sums of nothing are 0, the others null. */
  | {
      readonly from: "aggregate";
      readonly source: string;
      readonly keys: readonly string[];
      readonly where?: Filter;
      readonly aggregate: Aggregate;
      /** Only events that became available within so many days before the example; all when absent. */
      readonly windowDays?: number;
      readonly type: FeatureType;
    };

/** A named, versioned group of features with one author and one reason. A change is a new version. */
export interface FeatureViewDefinition {
  readonly kind: "feature-view";
  readonly name: string;
  /** 1, 2, …: an applied version never changes. */
  readonly version: number;
  readonly author: string;
  readonly reason: string;
  /** Feature name → plan. Names are unique over the views a model uses. */
  readonly features: Readonly<Record<string, FeaturePlan>>;
}

/** Declares a version of a feature view. Its shape, and that its sources have what it reads, is checked when it is applied. */
export function defineFeatureView<const F extends Record<string, FeaturePlan>>(
  definition: Omit<FeatureViewDefinition, "kind" | "features"> & { readonly features: F },
): FeatureViewDefinition & { readonly features: F } {
  return { kind: "feature-view", ...definition };
}
