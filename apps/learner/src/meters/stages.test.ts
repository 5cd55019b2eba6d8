import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "@heddle/base";
import { bottleneckOf, startStages } from "./stages.ts";

/** A clock that moves when it is told to. */
function handClock(): Clock & { add(ms: number): void } {
  let nowMs = 0;
  return {
    now: () => 0,
    monotonicMs: () => nowMs,
    sleep: async () => undefined,
    add: (ms) => void (nowMs += ms),
  };
}

/** The shares that are not 0. */
const some = (shares: Readonly<Record<string, number>>) =>
  Object.fromEntries(Object.entries(shares).filter(([, share]) => share !== 0));

test("without threads, work on the thread is taken from the stage that waits", async () => {
  const clock = handClock();
  const stages = startStages(clock);
  assert.deepEqual(some(stages.shares()), { start: 1 });
  clock.add(10);
  stages.started();
  const computing = Promise.withResolvers<void>();
  const waiting = stages.wait("compute", computing.promise);
  clock.add(30);
  stages.work("transform", () => clock.add(20));
  clock.add(40);
  computing.resolve();
  await waiting;
  assert.deepEqual(some(stages.shares()), { start: 0.1, compute: 0.7, transform: 0.2 });
  assert.equal(stages.seconds(), 0.1);
});

test("what a thread computes is computing, whatever the loop waits for", async () => {
  const clock = handClock();
  const done = { computed: 0, transformed: 0 };
  const stages = startStages(clock, {
    computedMs: () => done.computed,
    transformedMs: () => done.transformed,
  });
  stages.started();
  const [batch, result] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  // The loop waits 50 ms for a batch: 20 of them computing goes on, and for the others 10 are transforming.
  const reading = stages.wait("read", batch.promise);
  clock.add(50);
  Object.assign(done, { computed: 20, transformed: 10 });
  batch.resolve();
  await reading;
  // It waits 50 ms for a result that takes 30 to compute.
  const computing = stages.wait("compute", result.promise);
  clock.add(50);
  done.computed += 30;
  result.resolve();
  await computing;
  assert.deepEqual(some(stages.shares()), { compute: 0.5, read: 0.2, transform: 0.1, other: 0.2 });
});

test("what a thread tells late is taken from what comes next, so that the shares sum to one", () => {
  const clock = handClock();
  let computed = 0;
  const stages = startStages(clock, { computedMs: () => computed });
  stages.started();
  clock.add(60);
  stages.work("push", () => clock.add(10));
  // Of the 70 ms until now it computed 20, and says so only 10 ms later.
  clock.add(10);
  computed = 20;
  stages.work("snapshot", () => clock.add(20));
  assert.deepEqual(some(stages.shares()), { compute: 0.2, push: 0.1, other: 0.6, snapshot: 0.1 });
});

test("a thread that claims more time than there was is a fault, not a share", () => {
  const clock = handClock();
  let computed = 0;
  const stages = startStages(clock, { computedMs: () => computed });
  clock.add(100);
  computed = 101;
  assert.ok(stages.shares().compute > 1);
  computed = 110;
  assert.throws(() => stages.shares(), /the shares of the stages sum to 1\.1/);
});

test("the bottleneck is what computing waits for most, or computing itself", () => {
  assert.equal(bottleneckOf({ start: 0.5, compute: 0.3, read: 0.05, pull: 0.15 }), "pull");
  assert.equal(bottleneckOf({ start: 0.5, compute: 0.46, pull: 0.04 }), "compute");
  assert.equal(bottleneckOf({ compute: 0.89, other: 0.02, transform: 0.09 }), "transform");
  assert.equal(bottleneckOf({ compute: 0.5, other: 0.3, push: 0.2 }), "push", "other is no stage");
});
