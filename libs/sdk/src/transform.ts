/**
 * Row transforms: data, not code. `libs/transform` runs the same plan over a column of a million
 * rows and over one request. Null stays null until `default` or a hash gives it a value.
 */
export type NumberExpression =
  /** A numeric feature's raw value. */
  | { readonly op: "value"; readonly feature: string }
  /** Time from a timestamp feature to the example's time, in days. */
  | { readonly op: "age-days"; readonly feature: string }
  /** 1 where the feature is null, else 0. */
  | { readonly op: "is-missing"; readonly feature: string }
  | { readonly op: "log1p"; readonly of: NumberExpression }
  | {
      readonly op: "clip";
      readonly of: NumberExpression;
      readonly low: number;
      readonly high: number;
    }
  /** (x + offset) × factor. */
  | {
      readonly op: "scale";
      readonly of: NumberExpression;
      readonly factor: number;
      readonly offset?: number;
    }
  /** of / by; null where `by` is 0 or null. */
  | { readonly op: "ratio"; readonly of: NumberExpression; readonly by: NumberExpression }
  | { readonly op: "difference"; readonly of: NumberExpression; readonly minus: NumberExpression }
  | { readonly op: "default"; readonly of: NumberExpression; readonly value: number }
  /** (x − mean) / deviation, both fitted on the training rows. */
  | { readonly op: "standardise"; readonly of: NumberExpression };

export type CategoryExpression =
  /** A category feature's value; null is a category of its own. */
  | { readonly op: "category"; readonly feature: string }
  /** Index of the interval that holds x; bounds ascending, the value b falls above the bound b. Null is its own bucket. */
  | { readonly op: "bucketise"; readonly of: NumberExpression; readonly bounds: readonly number[] }
  /** As bucketise, with `buckets` − 1 bounds at the quantiles of the training rows. */
  | { readonly op: "quantile"; readonly of: NumberExpression; readonly buckets: number }
  /** The combination of several. */
  | { readonly op: "cross"; readonly of: readonly CategoryExpression[] };

/** What the model sees. Order is the order of the model's columns. */
export type ModelInput =
  | { readonly name: string; readonly kind: "numeric"; readonly of: NumberExpression }
  /** A 64-bit id, hashed with the input's name, looked up in the parameter server. */
  | { readonly name: string; readonly kind: "embedding"; readonly of: CategoryExpression };

export const value = (feature: string): NumberExpression => ({ op: "value", feature });
export const ageDays = (feature: string): NumberExpression => ({ op: "age-days", feature });
export const isMissing = (feature: string): NumberExpression => ({ op: "is-missing", feature });
export const log1p = (of: NumberExpression): NumberExpression => ({ op: "log1p", of });
export const clip = (of: NumberExpression, low: number, high: number): NumberExpression => ({
  op: "clip",
  of,
  low,
  high,
});
export const scale = (of: NumberExpression, factor: number, offset = 0): NumberExpression => ({
  op: "scale",
  of,
  factor,
  offset,
});
export const ratio = (of: NumberExpression, by: NumberExpression): NumberExpression => ({
  op: "ratio",
  of,
  by,
});
export const difference = (of: NumberExpression, minus: NumberExpression): NumberExpression => ({
  op: "difference",
  of,
  minus,
});
export const withDefault = (of: NumberExpression, missing: number): NumberExpression => ({
  op: "default",
  of,
  value: missing,
});
export const standardise = (of: NumberExpression): NumberExpression => ({ op: "standardise", of });
export const category = (feature: string): CategoryExpression => ({ op: "category", feature });
export const bucketise = (of: NumberExpression, bounds: readonly number[]): CategoryExpression => ({
  op: "bucketise",
  of,
  bounds,
});
export const quantile = (of: NumberExpression, buckets: number): CategoryExpression => ({
  op: "quantile",
  of,
  buckets,
});
export const cross = (...of: CategoryExpression[]): CategoryExpression => ({ op: "cross", of });
export const numeric = (name: string, of: NumberExpression): ModelInput => ({
  name,
  kind: "numeric",
  of,
});
export const embedding = (name: string, of: CategoryExpression): ModelInput => ({
  name,
  kind: "embedding",
  of,
});
