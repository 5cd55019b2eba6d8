import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "@heddle/base";
import { type LoopOptions, train } from "./loop.ts";
import type { StepResult } from "../network.ts";
import type { TrainingBatch } from "../data/rows.ts";
import { startStages } from "../meters/stages.ts";
import { nothingMoved } from "../wire/traffic.ts";
import { beginning } from "./progress.ts";

const { signal } = new AbortController();

function batch(n: number): TrainingBatch {
  const none = new Float32Array();
  return {
    at: { partition: 0, batch: n },
    partition: "49",
    rows: 2,
    numeric: none,
    ids: BigUint64Array.of(BigInt(n)),
    index: new Int32Array(),
    label: Float32Array.of(0, 1),
    weight: Float32Array.of(4, 1),
  };
}

/** A loop over `steps` batches that writes down what it does. */
function recorded(steps: number, lag: 0 | 1, result: (n: number) => StepResult = finite) {
  const log: string[] = [];
  let [next, losses] = [0, 0];
  const none = { rows: {}, dense: {} };
  const options: LoopOptions = {
    learner: "job-7",
    microBatches: 1,
    own: [0],
    lag,
    snapshotSteps: 3,
    stages: startStages(systemClock),
    batches: {
      end: { partition: 1, batch: 0 },
      next: async () => (next < steps ? batch(next++) : undefined),
    },
    wire: {
      restore: async () => undefined,
      pull: async (step) => {
        log.push(`pull ${step}`);
        return none;
      },
      push: async (step, _ids, _gradients, cut, { lossSum = 0 } = {}) => {
        losses += lossSum;
        log.push(`push ${step}${cut ? " cut" : ""}`);
      },
      freeze: async () => undefined,
      snapshot: async () => ({ rows: 0, files: [] }),
      usage: async () => ({ cpuSeconds: 0, step: 0, lossSum: losses }),
      release: () => undefined,
      moved: () => nothingMoved,
      [Symbol.asyncDispose]: async () => undefined,
    },
    network: {
      tables: [],
      dense: [],
      step: async ({ at }) => {
        log.push(`compute ${at.batch + 1}`);
        return result(at.batch);
      },
    },
    aroundStep: (_step, run) => run(),
    onStep: () => undefined,
    onCut: async ({ step, cursor }) => {
      log.push(`cut ${step} at ${cursor.batch}`);
    },
  };
  return { log, options };
}

const finite = (): StepResult => ({ loss: 0.5, gradients: { rows: {}, dense: {} } });

test("with a lag of 1 the next pull goes out before the step computes to its end, and none crosses a cut", async () => {
  const { log, options } = recorded(4, 1);
  const end = await train(options, beginning, signal);
  assert.deepEqual(log, [
    "pull 1",
    "compute 1",
    "pull 2",
    "push 1",
    "compute 2",
    "pull 3",
    "push 2",
    "compute 3",
    "push 3 cut",
    "cut 3 at 3",
    "pull 4",
    "compute 4",
    "push 4 cut",
  ]);
  assert.deepEqual(end, {
    step: 4,
    cursor: { partition: 1, batch: 0 },
    examples: 8,
    lossSum: 4,
    negatives: 4,
    negativeWeight: 16,
  });
});

test("without a lag a pull follows the push of the step before", async () => {
  const { log, options } = recorded(2, 0);
  await train(options, beginning, signal);
  assert.deepEqual(log, ["pull 1", "compute 1", "push 1", "pull 2", "compute 2", "push 2 cut"]);
});

test("a gradient or loss that is not finite is refused, naming learner, step, partition and batch", async () => {
  for (const [lag, bad] of [
    [0, { loss: NaN, gradients: { rows: {}, dense: {} } }],
    [1, { loss: 1, gradients: { rows: { embeddings: Float32Array.of(1, Infinity) }, dense: {} } }],
    [0, { loss: 1, gradients: { rows: {}, dense: { bias: Float32Array.of(NaN) } } }],
  ] as const) {
    const { log, options } = recorded(3, lag, (n) => (n === 1 ? bad : finite()));
    await assert.rejects(train(options, beginning, signal), {
      code: "INVALID_ARGUMENT",
      reason: "NOT_FINITE",
      message:
        /in step 2 of learner job-7 \(partition 49, batch 1\); nothing of the step was pushed/,
      metadata: { learner: "job-7", step: "2", partition: "49", batch: "1" },
    });
    assert.ok(!log.includes("push 2"));
  }
});

test("an aborted attempt ends before its next step", async () => {
  const { log, options } = recorded(3, 0);
  await assert.rejects(train(options, beginning, AbortSignal.abort(new Error("stop"))), /stop/);
  assert.deepEqual(log, ["pull 1"]);
});
