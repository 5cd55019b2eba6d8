import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { EvaluationSchema, type MetricSchema } from "@heddle/proto/evaluator";
import { brier, definition } from "../fixtures/definition.ts";
import { judge } from "./gate.ts";

type MetricInit = MessageInitShape<typeof MetricSchema>;
const around = (value: number, half: number) => ({ value, low: value - half, high: value + half });

const auc: MetricInit = {
  name: "auc",
  candidate: around(0.95, 0.003),
  versusLive: around(0, 0.001),
  versusFallback: around(0.05, 0.01),
};
const logLoss: MetricInit = { name: "log-loss", versusLive: around(0, 0.001) };
const calibration: MetricInit = { name: "calibration", candidate: around(1.02, 0.03) };
const custom: MetricInit = { name: "brier", versusLive: around(0, 0.001) };

function judged(
  metrics: readonly MetricInit[],
  change: MessageInitShape<typeof EvaluationSchema> = {},
) {
  const names = new Set(metrics.map(({ name }) => name));
  const others = [auc, logLoss, calibration, custom].filter(({ name }) => !names.has(name));
  const evaluation = create(EvaluationSchema, {
    liveVersion: "abc",
    rows: 15_000n,
    positives: 3_000n,
    metrics: [...metrics, ...others],
    ...change,
  });
  const { verdict, checks } = judge(evaluation, definition.gate, [brier]);
  const open = checks.filter((check) => check.verdict !== "pass");
  return { verdict, checks, words: open.map(({ name, explanation }) => `${name}: ${explanation}`) };
}

test("a version that does no harm passes every check", () => {
  const { verdict, checks } = judged([]);
  assert.equal(verdict, "pass");
  assert.deepEqual(
    checks.map(({ name }) => name),
    [
      "enough-data",
      "auc-vs-live",
      "log-loss-vs-live",
      "brier-vs-live",
      "calibration",
      "beats-fallback",
      "data-checks",
    ],
  );
});

test("a drop beyond the limit fails and is told with its figures", () => {
  const versusLive = { value: -0.012, low: -0.016, high: -0.008 };
  const { verdict, words } = judged([{ ...auc, versusLive }]);
  assert.equal(verdict, "fail");
  assert.deepEqual(words, [
    "auc-vs-live: AUC fell by 0.012 (0.008 to 0.016); a drop of 0.005 at most is allowed",
  ]);
});

test("a drop that may be beyond the limit fails when the data could have shown otherwise", () => {
  assert.equal(judged([{ ...auc, versusLive: around(-0.004, 0.002) }]).verdict, "fail");
});

test("a drop that may be beyond the limit asks for more data when the interval is too wide", () => {
  const { verdict, words } = judged([{ ...auc, versusLive: around(-0.002, 0.004) }]);
  assert.equal(verdict, "not-enough-data");
  assert.match(words.join(), /the interval is too wide to tell, evaluate more rows$/);
});

test("each limit is on its own check", () => {
  const failing: [MetricInit, string][] = [
    [{ ...logLoss, versusLive: around(0.02, 0.001) }, "log-loss-vs-live"],
    [{ ...calibration, candidate: around(1.5, 0.05) }, "calibration"],
    [{ ...calibration, candidate: around(0.6, 0.05) }, "calibration"],
    [{ ...auc, versusFallback: around(-0.05, 0.01) }, "beats-fallback"],
    [{ ...custom, versusLive: around(0.02, 0.001) }, "brier-vs-live"],
  ];
  for (const [metric, check] of failing) {
    const { verdict, words } = judged([metric]);
    assert.equal(verdict, "fail", check);
    assert.ok(words.length === 1 && words[0]?.startsWith(check), words.join());
  }
  const doubt = judged([{ ...auc, versusFallback: around(0.005, 0.01) }]);
  assert.equal(doubt.verdict, "not-enough-data");
});

test("without a live version only what does not need one is judged", () => {
  const { verdict, checks } = judged([], { liveVersion: "" });
  assert.equal(verdict, "pass");
  assert.deepEqual(
    checks.map(({ name }) => name),
    ["enough-data", "calibration", "beats-fallback", "data-checks"],
  );
});

test("too few positives, or a metric without an interval, is not enough data", () => {
  assert.equal(judged([], { positives: 99n }).verdict, "not-enough-data");
  const { words } = judged([{ name: "auc" }, { name: "calibration" }]);
  assert.equal(words.length, 3);
  assert.match(words[0] ?? "", /auc-vs-live: AUC has no interval/);
});

test("a broken data check fails in its own words", () => {
  const explanation = "positives in discounted vanished: from 61 % to 0 %";
  const { verdict, words } = judged([], { dataChecks: [{ holds: false, explanation }] });
  assert.equal(verdict, "fail");
  assert.deepEqual(words, [`data-checks: ${explanation}`]);
});

test("a failed check outweighs one that lacks data", () => {
  const { verdict } = judged([{ ...calibration, candidate: around(2, 0.1) }], { positives: 9n });
  assert.equal(verdict, "fail");
});
