/**
 * A metric computed per example and averaged, as data: the evaluator gives it an interval and slices
 * like the built-in ones.
 */
export type MetricExpression =
  | { readonly op: "label" }
  | { readonly op: "prediction" }
  | { readonly op: "constant"; readonly value: number }
  | {
      readonly op: "add" | "subtract" | "multiply" | "divide" | "minimum" | "maximum";
      readonly left: MetricExpression;
      readonly right: MetricExpression;
    }
  | { readonly op: "absolute" | "logarithm"; readonly of: MetricExpression }
  /** 1 where left >= right, else 0. */
  | { readonly op: "at-least"; readonly left: MetricExpression; readonly right: MetricExpression };

export interface MetricDefinition {
  readonly kind: "metric";
  readonly name: string;
  readonly author: string;
  readonly reason: string;
  readonly better: "higher" | "lower";
  /** Value of one example; the metric is its weighted mean. */
  readonly each: MetricExpression;
}

/** Declares a metric of your own. Its shape is checked when it is applied. */
export function defineMetric(definition: Omit<MetricDefinition, "kind">): MetricDefinition {
  return { kind: "metric", ...definition };
}
