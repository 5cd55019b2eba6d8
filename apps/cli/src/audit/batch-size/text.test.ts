import assert from "node:assert/strict";
import { test } from "node:test";
import type { AuditedSize, BatchSizeAudit } from "@heddle/learner";
import { batchAuditText } from "./text.ts";

const spread = (value: number) => ({ value, low: value - 100, high: value + 100 });
const interval = (value: number) => ({ value, low: value - 0.001, high: value + 0.001 });
const size = (
  batchSize: number,
  verdict: AuditedSize["verdict"],
  speed: number,
  rise: number,
): AuditedSize => ({
  ...{ batchSize, verdict, steps: 10, residentBytes: 300 * 2 ** 20 },
  ...{ perSecond: spread(speed), perCpuSecond: spread(speed / 2) },
  quality: {
    ...{ logLoss: interval(0.4 + rise), auc: interval(0.8 - rise) },
    ...{ logLossRise: interval(rise), aucDrop: interval(rise) },
  },
});
const audit: BatchSizeAudit = {
  ...{ model: "grocer", trainedRows: 80_000, heldOutRows: 20_000, tolerance: 0.002, within: 0.05 },
  ...{ per: "cpu-second", rates: "keep", own: 1_024 },
  sizes: [
    size(256, "as-good", 10_000, -0.01),
    size(1_024, "baseline", 20_000, 0),
    size(4_096, "as-good", 30_000, 0.0005),
    size(8_192, "worse", 40_000, 0.01),
    { batchSize: 16_384, verdict: "diverged" },
  ],
  notTried: [{ batchSize: 65_536, why: "it is too large" }],
  chosen: 4_096,
  change: { batchSize: 4_096, snapshotSteps: 50 },
};

test("the choice is said in words, with why, what it brings and what to write", () => {
  const text = batchAuditText(audit);
  assert.match(text, /4,096 +10 +30,000 \(29,900–30,100\) +15,000 \(14,900–15,100\) +300 MiB/);
  assert.match(
    text,
    /Choose batches of 4,096 for model grocer: the smallest within 5 % of the most/,
  );
  assert.match(text, /1\.50 times the examples per CPU-second of 1,024/);
  assert.match(text, /20,000 held-out rows after the same 80,000, against 1,024/);
  assert.match(text, /learning rates as they are/);
  assert.match(text, /Batches of 256 learn more from the same rows: log loss falls by 0\.0100/);
  assert.match(text, /65,536 was not tried: it is too large\./);
  assert.match(text, /another configuration then:\n {2}batchSize: 4096,\n {2}snapshotSteps: 50,$/);
});

test("when the definition's own size is the choice there is nothing to write", () => {
  const text = batchAuditText({ ...audit, chosen: 1_024, change: {}, rates: "root" });
  assert.match(text, /Keep batches of 1,024 for model grocer/);
  assert.match(text, /multiplied by the root of size \/ own size/);
  assert.doesNotMatch(text, /In the definition/);
});
