import assert from "node:assert/strict";
import { test } from "node:test";
import { defineMetric } from "@heddle/sdk";
import { calibration, logLoss, type RowMetric } from "@heddle/statistics";
import { customMetric } from "./example-metrics.ts";

const rows = [
  { prediction: 0.8, label: 1, weight: 1 },
  { prediction: 0.1, label: 0, weight: 120 },
  { prediction: 0.3, label: 1, weight: 1 },
  { prediction: 0.01, label: 0, weight: 37 },
];

function valueOf(metric: RowMetric): number {
  const sum = (part: "numerator" | "denominator"): number =>
    rows.reduce(
      (total, { prediction, label, weight }) => total + metric[part](prediction, label, weight),
      0,
    );
  return sum("numerator") / sum("denominator");
}

const near = (found: number, expected: number): void =>
  assert.ok(Math.abs(found - expected) < 1e-12, `${found} is not ${expected}`);

test("log loss counts a negative for the rows it stands for", () => {
  const expected = -(Math.log(0.8) + 120 * Math.log(0.9) + Math.log(0.3) + 37 * Math.log(0.99));
  near(valueOf(logLoss), expected / 159);
});

test("a probability of exactly 0 or 1 costs much, not everything", () => {
  assert.ok(logLoss.numerator(0, 1, 1) < 28);
  assert.ok(logLoss.numerator(1, 0, 1) < 17);
  assert.ok(logLoss.numerator(1, 1, 1) >= 0);
});

test("calibration is predicted positives per positive", () => {
  near(valueOf(calibration), (0.8 + 120 * 0.1 + 0.3 + 37 * 0.01) / 2);
});

test("a custom metric is the weighted mean of its expression", () => {
  const brier = customMetric(
    defineMetric({
      name: "brier",
      author: "ada",
      reason: "test",
      better: "lower",
      each: {
        op: "multiply",
        left: { op: "subtract", left: { op: "prediction" }, right: { op: "label" } },
        right: { op: "subtract", left: { op: "prediction" }, right: { op: "label" } },
      },
    }),
  );
  near(valueOf(brier), (0.2 ** 2 + 120 * 0.1 ** 2 + 0.7 ** 2 + 37 * 0.01 ** 2) / 159);
});

test("every operation of a custom metric means what it says", () => {
  const value = (each: Parameters<typeof customMetric>[0]["each"]): number =>
    customMetric({
      kind: "metric",
      name: "m",
      author: "a",
      reason: "r",
      better: "lower",
      each,
    }).numerator(0.25, 1, 2) / 2;
  const [left, right] = [{ op: "prediction" }, { op: "label" }] as const;
  near(value({ op: "add", left, right }), 1.25);
  near(value({ op: "divide", left, right }), 0.25);
  near(value({ op: "minimum", left, right }), 0.25);
  near(value({ op: "maximum", left, right }), 1);
  near(value({ op: "at-least", left, right }), 0);
  near(value({ op: "at-least", left: right, right }), 1);
  near(value({ op: "absolute", of: { op: "constant", value: -3 } }), 3);
  near(value({ op: "logarithm", of: left }), Math.log(0.25));
  assert.throws(() => value({ op: "logarithm", of: { op: "constant", value: 0 } }), {
    reason: "METRIC_NOT_FINITE",
  });
});
