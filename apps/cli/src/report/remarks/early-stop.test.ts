import assert from "node:assert/strict";
import { test } from "node:test";
import { earlyStopLine } from "./early-stop.ts";

const stopped = {
  ...{ loss: 0.46, bestLoss: 0.4512, bestStep: 600n, cutsSinceBest: 3, minDelta: 0.001 },
  ...{ untrainedExamples: 12_345n, partition: "2020-03" },
};

test("a training that stopped early says where, why, and what it left", () => {
  const training = { steps: 1_200n, earlyStop: stopped };
  assert.equal(
    earlyStopLine(training),
    "stopped early at step 1,200: 3 cuts since step 600 did not lower its loss of 0.4512 by 0.001 (last 0.4600); 12,345 examples from partition 2020-03 on were not trained",
  );
  const once = { ...stopped, cutsSinceBest: 1, minDelta: 0 };
  const line = earlyStopLine({ steps: 1_200n, earlyStop: once });
  assert.match(line ?? "", /: the cut since step 600 did not lower its loss of 0\.4512 \(last/);
});

test("a training of all its data says nothing", () => {
  assert.equal(earlyStopLine({ steps: 7n }), undefined);
  assert.equal(earlyStopLine(undefined), undefined);
});
