import { HeddleError } from "@heddle/base";
import type { MetricDefinition, MetricExpression } from "@heddle/sdk";
import type { RowMetric } from "@heddle/statistics";

/** The weighted mean of a custom metric's expression. */
export function customMetric({ name, each }: MetricDefinition): RowMetric {
  const value = compile(each);
  return {
    name,
    numerator: (prediction, label, weight) => {
      const found = value(prediction, label);
      if (!Number.isFinite(found)) throw notFinite(name, prediction, label);
      return weight * found;
    },
    denominator: (_prediction, _label, weight) => weight,
  };
}

type Value = (prediction: number, label: number) => number;

function compile(expression: MetricExpression): Value {
  switch (expression.op) {
    case "label":
      return (_, label) => label;
    case "prediction":
      return (prediction) => prediction;
    case "constant":
      return () => expression.value;
    case "absolute":
      return compose(Math.abs, compile(expression.of));
    case "logarithm":
      return compose(Math.log, compile(expression.of));
    default: {
      const [left, right] = [compile(expression.left), compile(expression.right)];
      const combine = combinations[expression.op];
      return (prediction, label) => combine(left(prediction, label), right(prediction, label));
    }
  }
}

const combinations = {
  add: (a: number, b: number) => a + b,
  subtract: (a: number, b: number) => a - b,
  multiply: (a: number, b: number) => a * b,
  divide: (a: number, b: number) => a / b,
  minimum: Math.min,
  maximum: Math.max,
  "at-least": (a: number, b: number) => (a >= b ? 1 : 0),
} as const;

const compose =
  (outer: (value: number) => number, inner: Value): Value =>
  (prediction, label) =>
    outer(inner(prediction, label));

function notFinite(name: string, prediction: number, label: number): HeddleError {
  return new HeddleError(
    "FAILED_PRECONDITION",
    "METRIC_NOT_FINITE",
    `metric ${name} has no finite value for prediction ${prediction} and label ${label}: bound what it divides by or takes the logarithm of`,
  );
}
