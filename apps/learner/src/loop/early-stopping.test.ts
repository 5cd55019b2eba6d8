import assert from "node:assert/strict";
import { test } from "node:test";
import { hasStopped, judgedAt } from "./early-stopping.ts";
import { beginning, type Progress } from "./progress.ts";

/** A run whose cuts lie ten examples apart, of these mean losses; how many cuts it judges before it stops. */
function cutsUntilStop(
  losses: readonly number[],
  stopping: { patience: number; minDelta?: number },
): readonly [number, Progress] {
  let progress = beginning;
  for (const [n, loss] of losses.entries()) {
    const { step, examples, lossSum } = progress;
    const trained = { step: step + 5, examples: examples + 10, lossSum: lossSum + 10 * loss };
    progress = judgedAt(stopping, { ...progress, ...trained });
    if (hasStopped(stopping, progress)) return [n + 1, progress];
  }
  return [Infinity, progress];
}

test("so many cuts in a row that lower the loss by too little end the run", () => {
  const losses = [0.7, 0.5, 0.625, 0.5, 0.46875, 0.4375, 0.5, 0.5, 0.5];
  const [cuts, { judged }] = cutsUntilStop(losses, { patience: 3 });
  assert.equal(cuts, 9);
  assert.deepEqual(judged?.best.step, 30);
  assert.equal(judged.cutsSince, 3);
  assert.ok(Math.abs(judged.loss - 0.5) < 1e-12);
});

test("what falls by less than minDelta does not count, and small falls add up", () => {
  const falling = [0.5, 0.49, 0.48, 0.47, 0.46];
  assert.equal(cutsUntilStop(falling, { patience: 1 })[0], Infinity);
  assert.equal(cutsUntilStop(falling, { patience: 1, minDelta: 0.015 })[0], 2);
  assert.equal(cutsUntilStop(falling, { patience: 2, minDelta: 0.015 })[0], Infinity);
});

test("a loss that stays the same is not lower", () => {
  const [cuts] = cutsUntilStop([0.5, 0.5, 0.5], { patience: 2 });
  assert.equal(cuts, 3);
});

test("the first cut is judged by nothing, and a run that was asked for nothing never stops", () => {
  assert.equal(cutsUntilStop([9], { patience: 1 })[0], Infinity);
  assert.equal(hasStopped({ patience: 1 }, beginning), false);
  const [, stopped] = cutsUntilStop([1, 2], { patience: 1 });
  assert.equal(hasStopped(undefined, stopped), false);
});
