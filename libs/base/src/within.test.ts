import assert from "node:assert/strict";
import { test } from "node:test";
import { type Clock, systemClock } from "./clock.ts";
import { within } from "./within.ts";

const never = new Promise<never>(() => undefined);

/** A clock that counts who still sleeps by it. */
function countingClock(): { readonly clock: Clock; readonly asleep: () => number } {
  let asleep = 0;
  const sleep: Clock["sleep"] = async (ms, signal) => {
    asleep += 1;
    await systemClock.sleep(ms, signal).finally(() => (asleep -= 1));
  };
  return { clock: { ...systemClock, sleep }, asleep: () => asleep };
}

test("an event that comes in time is told from one that does not, and no timer is left", async () => {
  const { clock, asleep } = countingClock();
  assert.equal(await within(60_000, Promise.resolve(), clock), true);
  assert.equal(await within(1, never, clock), false);
  await assert.rejects(within(60_000, Promise.reject(new Error("its own")), clock), /its own/);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(asleep(), 0);
});

test("a signal ends the waiting as if the time were over", async () => {
  const over = new AbortController();
  const waiting = within(60_000, never, systemClock, over.signal);
  over.abort();
  assert.equal(await waiting, false);
});

test("a clock that fails is no event that came late", async () => {
  const clock = { ...systemClock, sleep: () => Promise.reject(new Error("no clock")) };
  await assert.rejects(within(1, never, clock), /no clock/);
});
