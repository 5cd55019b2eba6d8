import assert from "node:assert/strict";
import { test } from "node:test";
import { HeddleError, systemClock } from "@heddle/base";
import { type BoundedOptions, trainBounded } from "./bounded-loop.ts";
import type { TrainingBatch } from "../data/rows.ts";
import { startStages } from "../meters/stages.ts";
import { nothingMoved } from "../wire/traffic.ts";
import { beginning } from "./progress.ts";

const { signal } = new AbortController();
const none = { rows: {}, dense: {} };

function batch(n: number): TrainingBatch {
  const empty = new Float32Array();
  return {
    ...{ at: { partition: 0, batch: n }, partition: "49", rows: 2, numeric: empty },
    ...{ ids: BigUint64Array.of(BigInt(n)), index: new Int32Array() },
    ...{ label: Float32Array.of(0, 1), weight: Float32Array.of(4, 1) },
  };
}

/** A loop over five updates that writes down what it does. */
function recorded(
  changes: Partial<BoundedOptions>,
  push: (step: number) => void = () => undefined,
) {
  const log: string[] = [];
  let next = 0;
  const options: BoundedOptions = {
    learner: "job-7",
    snapshotSteps: 3,
    stages: startStages(systemClock),
    bounds: { staleness: 1, inFlight: 1, pushesPerSecond: 0, snapshotSteps: 3 },
    ...{ number: 0, learners: 1 },
    batches: {
      end: { partition: 1, batch: 0 },
      next: async () => (next < 5 ? batch(next++) : undefined),
    },
    wire: {
      restore: async () => undefined,
      pull: async (step) => {
        log.push(`pull ${step}`);
        return { ...none, states: [step * 10] };
      },
      release: () => undefined,
      push: async (step, _ids, _gradients, _cut, { states = [] } = {}) => {
        push(step);
        log.push(`push ${step} of ${states.join()}`);
      },
      freeze: async () => undefined,
      snapshot: async () => ({ rows: 0, files: [] }),
      usage: async (step = 0) => {
        log.push(`at ${step}`);
        return { cpuSeconds: 0, step, lossSum: step };
      },
      moved: () => nothingMoved,
      [Symbol.asyncDispose]: async () => undefined,
    },
    network: {
      ...{ tables: [], dense: [] },
      step: async ({ at }) => {
        log.push(`compute ${at.batch + 1}`);
        return { loss: 0.5, gradients: none };
      },
    },
    aroundStep: (_step, run) => run(),
    onStep: () => undefined,
    onCut: async ({ step, cursor, lossSum }) => {
      log.push(`cut ${step} at ${cursor.batch}, losses ${lossSum}`);
    },
    ...changes,
  };
  return { log, options };
}

test("one update after the other, and none across a cut", async () => {
  const { log, options } = recorded({});
  const end = await trainBounded(options, beginning, signal);
  const one = (n: number) => [`pull ${n}`, `compute ${n}`, `push ${n} of ${n * 10}`];
  assert.deepEqual(
    log.filter((line) => !line.startsWith("pull 2") && !line.startsWith("pull 3")),
    [
      ...[...one(1), "compute 2", "push 2 of 20", "compute 3", "push 3 of 30"],
      ...["at 3", "cut 3 at 3, losses 3", ...one(4), ...one(5), "at 5"],
    ],
  );
  assert.deepEqual([end.step, end.examples, end.lossSum, end.negatives], [5, 10, 5, 5]);
});

test("a learner has every n-th update, pulls as many ahead as its share of those in flight, and counts all", async () => {
  const bounds = { staleness: 1, inFlight: 4, pushesPerSecond: 0, snapshotSteps: 100 };
  const { log, options } = recorded({ bounds, snapshotSteps: 100, number: 1, learners: 2 });
  const end = await trainBounded(options, beginning, signal);
  assert.deepEqual(log.slice(0, 3), ["pull 2", "pull 4", "compute 2"]);
  assert.deepEqual(log.at(-1), "at 5");
  assert.deepEqual([end.step, end.examples], [5, 10]);
});

test("an update whose push was too stale is pulled and computed again", async () => {
  let refusals = 0;
  const { log, options } = recorded({}, (step) => {
    if (step !== 2 || refusals++ > 0) return;
    throw new HeddleError("ABORTED", "STALE_PUSH", "too stale");
  });
  await trainBounded(options, beginning, signal);
  const second = log.filter((line) => /^(pull|compute|push) 2/.test(line));
  assert.deepEqual(second, ["pull 2", "compute 2", "pull 2", "compute 2", "push 2 of 20"]);
  assert.ok(log.indexOf("push 2 of 20") < log.indexOf("at 3"));
});

test("a push refused for another reason ends the training with it", async () => {
  const { options } = recorded({}, (step) => {
    if (step === 2) throw new HeddleError("RESOURCE_EXHAUSTED", "TABLE_FULL", "full");
  });
  await assert.rejects(trainBounded(options, beginning, signal), { reason: "TABLE_FULL" });
});

test("a gradient that is not finite is refused before it is pushed", async () => {
  const network = {
    ...{ tables: [], dense: [] },
    step: async () => ({ loss: NaN, gradients: none }),
  };
  const { log, options } = recorded({ network });
  await assert.rejects(trainBounded(options, beginning, signal), {
    reason: "NOT_FINITE",
    message: /step 1 of learner job-7 \(partition 49, batch 0\)/,
  });
  assert.ok(!log.some((line) => line.startsWith("push")));
});
