import assert from "node:assert/strict";
import { test } from "node:test";
import type { AuditedSetting, SpeedAudit } from "@heddle/learner";
import { speedAuditText } from "./text.ts";

const interval = (value: number) => ({ value, low: value - 0.001, high: value + 0.001 });
const quality = (rise: number) => ({
  ...{ logLoss: interval(0.4 + rise), auc: interval(0.8 - rise) },
  ...{ logLossRise: interval(rise), aucDrop: interval(rise) },
});
const baseline: AuditedSetting = {
  ...{ inFlight: 1, staleness: 0, verdict: "baseline", quality: quality(0) },
  ...{ meanStaleness: 0, refused: 0 },
};
const worse: AuditedSetting = {
  ...{ inFlight: 8, staleness: 28, verdict: "worse", quality: quality(0.05) },
  ...{ meanStaleness: 6.9, refused: 0 },
};
const audit = (own: AuditedSetting, tooFast: SpeedAudit["tooFast"]): SpeedAudit => ({
  ...{ model: "grocer", heldOutRows: 900, tolerance: 0.002 },
  ...{ settings: [baseline, worse], own, tooFast },
});

test("what is too fast is said in words, with what it costs and what to do", () => {
  const text = speedAuditText(audit(worse, "yes"));
  assert.match(
    text,
    /Model grocer is trained too fast: with 8 updates in flight and staleness up to 28, log loss rises by 0\.0500 \[0\.0490, 0\.0510\]/,
  );
  assert.match(text, /1 update in flight and staleness up to 0 is the most that holds/);
  assert.match(text, /Too fast: 8 \(≤ 28\)\./);
  assert.match(text, /Lower training\.mode\.inFlight/);
  const diverged: AuditedSetting = { inFlight: 8, staleness: 28, verdict: "diverged" };
  assert.match(speedAuditText(audit(diverged, "yes")), /it diverges/);
});

test("how old rows may be is said, and that they are what to lower first", () => {
  const aged: AuditedSetting = { ...worse, inFlight: 1, staleness: 8, rowAge: 8 };
  const text = speedAuditText({ ...audit(aged, "yes"), settings: [baseline, aged] });
  assert.match(
    text,
    /1 update in flight and staleness up to 8, rows up to 8 updates old, log loss/,
  );
  assert.match(text, /Too fast: 1 \(≤ 8, rows 8\)\./);
  assert.match(text, /Lower training\.mode\.rowAge, inFlight and staleness/);
});

test("what is not too fast, and what cannot be told, is said so", () => {
  assert.match(speedAuditText(audit(baseline, "no")), /Model grocer is not trained too fast/);
  assert.match(speedAuditText(audit(worse, "unclear")), /cannot be told from 900 held-out rows/);
});
