import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { seededRandom } from "@heddle/base";
import { type Evaluation, EvaluationSchema } from "@heddle/proto/evaluator";
import { calibration, logLoss } from "@heddle/statistics";
import {
  everyRow,
  exampleMeasurements,
  ordersOf,
  type ScoredRows,
} from "../scoring/example-rows.ts";
import { definition } from "../fixtures/definition.ts";
import { judge, type Verdict } from "./gate.ts";
import { measure } from "../scoring/metric-message.ts";

const seed = Number(process.env["HEDDLE_SEED"] ?? 1);
const never = new AbortController().signal;
const sigmoid = (logit: number): number => 1 / (1 + Math.exp(-logit));

/**
 * A week of visits of two models that see the same truth, each through noise of its own.
 *
 * @param blur standard deviation of the candidate's noise; the live model's is `0.15`.
 */
function week(trial: number, visits: number, blur: number): ScoredRows {
  const random = seededRandom(seed).split(`week ${trial}`);
  const perVisit = 12;
  const rows = visits * perVisit;
  const values = (): Float32Array => new Float32Array(rows);
  const [label, candidate, live] = [values(), values(), values()];
  const cluster = new Int32Array(rows);
  for (let row = 0, visitor = 0; row < rows; row++) {
    if (row % perVisit === 0) visitor = random.normal() / 2;
    const truth = visitor - 1.5 + 1.5 * random.normal();
    label[row] = random.next() < sigmoid(truth) ? 1 : 0;
    candidate[row] = sigmoid(truth + blur * random.normal());
    live[row] = sigmoid(truth + 0.15 * random.normal());
    cluster[row] = Math.floor(row / perVisit);
  }
  const scores = { candidate, live, fallback: new Float64Array(rows) };
  return { label, weight: values().fill(1), cluster, clusters: visits, scores, codes: [] };
}

async function verdictOf(rows: ScoredRows): Promise<Verdict> {
  const orders = ordersOf(rows.scores);
  const metrics = exampleMeasurements(rows, orders, [logLoss, calibration], everyRow(rows), 0);
  const resampling = { clusters: rows.clusters, replicates: 200, seed };
  const evaluation: Evaluation = create(EvaluationSchema, {
    liveVersion: "live",
    rows: BigInt(rows.label.length),
    positives: BigInt(rows.label.reduce((sum, label) => sum + label, 0)),
    metrics: [...(await measure(metrics, resampling, never))],
  });
  return judge(evaluation, definition.gate, []).verdict;
}

async function verdicts(trials: number, visits: number, blur: number) {
  const counts = { pass: 0, fail: 0, "not-enough-data": 0 };
  for (let trial = 0; trial < trials; trial++) counts[await verdictOf(week(trial, visits, blur))]++;
  return counts;
}

test("of equal models with enough data 95 in 100 pass", async () => {
  const { pass } = await verdicts(60, 800, 0.15);
  assert.ok(pass >= 57, `${pass} of 60 (seed ${seed})`);
});

test("equal models with little data lack data; they are hardly ever refused", async () => {
  const { fail, pass } = await verdicts(60, 25, 0.15);
  assert.ok(fail <= 4 && pass <= 6, `${fail} fail, ${pass} pass of 60 (seed ${seed})`);
});

test("a planted harm never passes, and is refused with enough data", async () => {
  const enough = await verdicts(20, 800, 0.9);
  assert.deepEqual(enough, { pass: 0, fail: 20, "not-enough-data": 0 }, `seed ${seed}`);
  const { pass } = await verdicts(20, 100, 0.9);
  assert.equal(pass, 0, `seed ${seed}`);
});
