import assert from "node:assert/strict";
import { test } from "node:test";
import { openThread } from "./thread.ts";

const entry = new URL("../fixtures/thread-program.ts", import.meta.url);
const activities = ["wait", "work"] as const;
const open = (options: object = {}) => openThread({ name: "test", entry, options, activities });

test("a thread answers calls, and what it writes to shared memory is there", async () => {
  await using thread = open();
  const shared = new Float32Array(new SharedArrayBuffer(16));
  const answers = [thread.call("double", 21), thread.call("fill", shared)];
  assert.deepEqual(await Promise.all(answers), [42, undefined]);
  assert.deepEqual([...shared], [7, 7, 7, 7]);
});

test("an error crosses with its name, reason and metadata, and the thread goes on", async () => {
  await using thread = open();
  await assert.rejects(thread.call("refuse", undefined), {
    name: "HeddleError",
    code: "DATA_LOSS",
    reason: "NOT_THERE",
    message: "the row is gone",
    metadata: { row: "3" },
  });
  await assert.rejects(thread.call("trip", undefined), { name: "TypeError", message: "not a cat" });
  assert.equal(await thread.call("double", 1), 2);
});

test("a thread that dies answers all calls, those of before and those to come, with what happened", async () => {
  await using thread = open();
  const lost = { code: "UNAVAILABLE", reason: "LEARNER_THREAD_LOST" };
  const never = thread.call("never", undefined);
  await assert.rejects(thread.call("exit", undefined), {
    ...lost,
    message: /the learner's test thread ended with code 3: the attempt ends/,
  });
  await assert.rejects(never, lost);
  await assert.rejects(thread.call("double", 1), lost);
});

test("an exception nobody caught there is named", async () => {
  await using thread = open();
  const message = /the learner's test thread failed: out of luck: the attempt ends/;
  await assert.rejects(thread.call("throwLater", undefined), { message });
});

test("a program that cannot start answers why", async () => {
  await using thread = open({ broken: true });
  await assert.rejects(thread.call("double", 1), { message: "no disk" });
});

test("closing frees what the thread holds, and leaves no call without an answer", async () => {
  const closed = new Int32Array(new SharedArrayBuffer(4));
  const thread = open({ closed });
  await thread.call("double", 1);
  const never = thread.call("never", undefined);
  await thread[Symbol.asyncDispose]();
  await assert.rejects(never, { message: /test thread was closed/ });
  assert.equal(closed[0], 1);
});

test("what a thread is busy with is seen while it is", async () => {
  await using thread = open();
  await thread.call("work", 30);
  const { wallMs, cpuMs } = thread.activity.busy("work");
  assert.ok(wallMs >= 30 && wallMs < 10_000, String(wallMs));
  assert.ok(cpuMs > 0 && cpuMs <= thread.activity.cpuMs(), String(cpuMs));
  const before = thread.activity.busy("wait").wallMs;
  await thread.call("double", 1);
  assert.ok(thread.activity.busy("wait").wallMs > before, "the current activity counts up to now");
});
