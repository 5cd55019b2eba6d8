import assert from "node:assert/strict";
import { test } from "node:test";
import { openSlots } from "./slots.ts";

const never = new AbortController().signal;

test("a gang that waits is not overtaken, and takes all its room at once", async () => {
  const slots = openSlots({ cpu: 2, jobs: 4 });
  const first = await slots.acquire({ cpu: 1, jobs: 2 }, never);
  const order: string[] = [];
  const gang = slots.acquire({ cpu: 1, jobs: 3 }, never).then((room) => (order.push("gang"), room));
  const small = slots
    .acquire({ cpu: 0, jobs: 1 }, never)
    .then((room) => (order.push("small"), room));
  first[Symbol.dispose]();
  await Promise.all([gang, small]);
  assert.deepEqual(order, ["gang", "small"]);
});

test("who stops waiting makes way for the next", async () => {
  const slots = openSlots({ cpu: 1, jobs: 1 });
  const held = await slots.acquire({ cpu: 1, jobs: 1 }, never);
  const cancel = new AbortController();
  const waiting = slots.acquire({ cpu: 1, jobs: 1 }, cancel.signal);
  const behind = slots.acquire({ cpu: 0, jobs: 0 }, never);
  cancel.abort(new Error("enough"));
  await assert.rejects(waiting, /enough/);
  await behind;
  await assert.rejects(slots.acquire({ cpu: 1, jobs: 1 }, cancel.signal), /enough/);
  held[Symbol.dispose]();
  await slots.acquire({ cpu: 1, jobs: 1 }, never);
});

test("a step that wants more cores than there are gets them all", async () => {
  const slots = openSlots({ cpu: 2, jobs: 8 });
  const need = { cpu: 3, jobs: 4 };
  const held = await slots.acquire(need, never);
  const next = slots.acquire({ cpu: 1, jobs: 1 }, never);
  held[Symbol.dispose]();
  await next;
  await slots.acquire({ cpu: 1, jobs: 1 }, never);
});
