import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "@heddle/base";
import { openPace } from "./pace.ts";

const { signal } = new AbortController();

test("callers pass evenly spaced, none is let in early to make up for a pause", async () => {
  let ms = 0;
  const slept: number[] = [];
  const sleep = async (for_: number) => {
    slept.push(for_);
  };
  const pace = openPace(10, { ...systemClock, monotonicMs: () => ms, sleep });
  await pace(signal);
  await pace(signal);
  await pace(signal);
  assert.deepEqual(slept, [100, 200]);
  ms = 1_000;
  await pace(signal);
  await pace(signal);
  assert.deepEqual(slept, [100, 200, 100]);
});

test("without a limit nobody waits", async () => {
  const never = () => Promise.reject(new Error("slept"));
  const pace = openPace(0, { ...systemClock, sleep: never });
  await pace(signal);
  await pace(signal);
});
