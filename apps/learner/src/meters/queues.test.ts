import assert from "node:assert/strict";
import { test } from "node:test";
import { openQueue } from "./queues.ts";

test("a queue's mean is over time from the first thing on, and its max is the most at a time", () => {
  let nowMs = 0;
  const clock = { now: () => 0, monotonicMs: () => nowMs, sleep: async () => undefined };
  const queue = openQueue(clock);
  nowMs = 50;
  assert.deepEqual(queue.depth(), { mean: 0, max: 0 });
  queue.add(1);
  nowMs = 60;
  queue.add(1);
  nowMs = 80;
  queue.add(-1);
  queue.add(-1);
  nowMs = 90;
  // 10 ms of one and 20 of two, in 40 ms.
  assert.deepEqual([queue.depth(), queue.now()], [{ mean: 1.25, max: 2 }, 0]);
});
