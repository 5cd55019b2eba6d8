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

/** A numeric feature as it is. */
export const value = (feature: string): NumberExpression => ({ op: "value", feature });
/** Days from a timestamp feature to the example's time, negative when it lies after it. */
export const ageDays = (feature: string): NumberExpression => ({ op: "age-days", feature });
/** 1 where the feature is null, else 0; never null itself. */
export const isMissing = (feature: string): NumberExpression => ({ op: "is-missing", feature });
/** The natural logarithm of 1 + x. */
export const log1p = (of: NumberExpression): NumberExpression => ({ op: "log1p", of });
/** x, but not below `low` and not above `high`. */
export const clip = (of: NumberExpression, low: number, high: number): NumberExpression => ({
  op: "clip",
  of,
  low,
  high,
});
/** (x + `offset`) × `factor`. */
export const scale = (of: NumberExpression, factor: number, offset = 0): NumberExpression => ({
  op: "scale",
  of,
  factor,
  offset,
});
/** `of` / `by`; null where `by` is 0 or null. */
export const ratio = (of: NumberExpression, by: NumberExpression): NumberExpression => ({
  op: "ratio",
  of,
  by,
});
/** `of` − `minus`. */
export const difference = (of: NumberExpression, minus: NumberExpression): NumberExpression => ({
  op: "difference",
  of,
  minus,
});
/** x, or `missing` where x is null. */
export const withDefault = (of: NumberExpression, missing: number): NumberExpression => ({
  op: "default",
  of,
  value: missing,
});
/** (x − mean) / deviation, both fitted on the training rows and kept with the version. */
export const standardise = (of: NumberExpression): NumberExpression => ({ op: "standardise", of });
/** A category feature's value; null is a category of its own. */
export const category = (feature: string): CategoryExpression => ({ op: "category", feature });
/** The interval of ascending `bounds` that x is in: the bound b itself is above b. Null is a bucket of its own. */
export const bucketise = (of: NumberExpression, bounds: readonly number[]): CategoryExpression => ({
  op: "bucketise",
  of,
  bounds,
});
/** As `bucketise`, with at most `buckets` − 1 bounds at the quantiles of the training rows (equal ones are one), kept with the version. */
export const quantile = (of: NumberExpression, buckets: number): CategoryExpression => ({
  op: "quantile",
  of,
  buckets,
});
/** The combination of several: each distinct one is an id of its own. */
export const cross = (...of: CategoryExpression[]): CategoryExpression => ({ op: "cross", of });
/** A number that the model sees. `name` is that of its column. */
export const numeric = (name: string, of: NumberExpression): ModelInput => ({
  name,
  kind: "numeric",
  of,
});
/** An id that the model has a learned row for. Its row belongs to `name` and the value: inputs keep their rows as long as they keep their names. */
export const embedding = (name: string, of: CategoryExpression): ModelInput => ({
  name,
  kind: "embedding",
  of,
});
