import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesOf } from "@heddle/tensor";
import { call, declaration, openTestShard, pullOf, pushOf } from "../fixtures/test-shard.ts";
import { openBoundedCourse } from "./bounded-course.ts";

const bounds = { staleness: 1, inFlight: 3, pushesPerSecond: 0, snapshotSteps: 10 };
const updateOf = (step: number, oldestState: number) => ({
  ...pushOf(step),
  oldestState: BigInt(oldestState),
});

test("in bounded mode a push from before the bound is refused by name, changes nothing, and is taken when computed again", async () => {
  await using opened = await openTestShard();
  const { shard } = opened;
  await shard.configure({ ...declaration(), bounds }, call);
  for (const step of [1, 2, 3]) assert.equal((await shard.pull(pullOf(step), call)).step, 0n);
  await shard.push(updateOf(3, 0), call);
  await shard.push(updateOf(1, 0), call);
  await assert.rejects(shard.push(updateOf(2, 0), call), {
    code: "ABORTED",
    reason: "STALE_PUSH",
    message: /push of step 2 was computed from a state from before the bound: more than 1 pushes/,
    metadata: { stalenessMax: "1", applied: "2" },
  });
  const again = await shard.pull(pullOf(2), call);
  assert.equal(again.step, 2n, "two are applied, and the refused one is not");
  await shard.push(updateOf(2, 2), call);
  assert.equal((await shard.push(updateOf(2, 2), call)).step, 3n, "repeated");
  const { overlap, step } = await shard.stats({}, call);
  assert.equal(step, 3n);
  assert.deepEqual(overlap?.pushes, [2n, 1n]);
  assert.deepEqual([overlap?.inFlightMax, overlap?.inFlight, overlap?.refused], [3, 0, 1n]);
});

test("in bounded mode a pull beyond its credit waits, and none passes a cut before its snapshot", async () => {
  await using opened = await openTestShard();
  const { shard } = opened;
  await shard.configure({ ...declaration(), bounds: { ...bounds, snapshotSteps: 2 } }, call);
  await shard.pull(pullOf(1), call);
  await shard.pull(pullOf(2), call);
  const beyond = shard.pull(pullOf(3), call);
  const snapshot = shard.snapshot({ fence: 1n, step: 2n, objectPrefix: "p" }, call);
  const settled = shard.stats({ step: 2n }, call);
  await shard.push(updateOf(2, 0), call);
  await assert.rejects(shard.pull(pullOf(3), { timeoutMs: 100 }), { code: "DEADLINE_EXCEEDED" });
  await shard.push(updateOf(1, 0), call);
  assert.equal((await settled).step, 2n);
  const { object } = await snapshot;
  assert.equal((await beyond).step, 2n, "the copy of the cut is taken");
  await shard.push(updateOf(3, 2), call);
  await shard.restore({ fence: 1n, step: 2n, objects: [object!] }, call);
  assert.equal((await shard.pull(pullOf(3), call)).step, 2n);
  assert.deepEqual((await shard.stats({}, call)).overlap?.pushes, [0n, 0n]);
});

test("in bounded mode pushes that are not finite, of no pull, or of a fenced learner are refused by name", async () => {
  await using opened = await openTestShard();
  const { shard } = opened;
  await shard.configure({ ...declaration(0, 2n), bounds }, call);
  const before = await shard.pull(pullOf(1, 2n), call);
  const nan = { ...updateOf(1, 0), fence: 2n, dense: bytesOf(Float32Array.of(NaN)) };
  await assert.rejects(shard.push(nan, call), { reason: "NOT_FINITE" });
  await assert.rejects(shard.push({ ...updateOf(2, 0), fence: 2n }, call), {
    reason: "STEP_ORDER",
  });
  await assert.rejects(shard.push(updateOf(1, 0), call), { code: "ABORTED", reason: "FENCED" });
  await assert.rejects(shard.push({ ...updateOf(1, 0), fence: 2n, microBatch: 1 }, call), {
    reason: "UNKNOWN_MICRO_BATCH",
  });
  assert.deepEqual((await shard.pull(pullOf(1, 2n), call)).rows, before.rows);
});

test("a meter hears of each push how many others came between its pull and it", async () => {
  const heard: number[] = [];
  const nothing = (): void => undefined;
  const onStaleness = (pushes: number): void => void heard.push(pushes);
  const course = openBoundedCourse({ bounds, apply: nothing, onChange: nothing, onStaleness });
  const part = { microBatch: 0, tables: [], lossSum: 0, learnerCpuSeconds: 0 };
  const { signal } = new AbortController();
  for (const step of [1, 2]) course.served(step, 0);
  for (const step of [2, 1]) {
    await course.take(
      { step, state: 0, cut: false },
      { ...part, dense: new Float32Array() },
      signal,
    );
  }
  assert.deepEqual(heard, [0, 1]);
});

test("bounds that cannot be are refused", async () => {
  await using opened = await openTestShard();
  for (const wrong of [
    { bounds: { ...bounds, inFlight: 0 } },
    { bounds: { ...bounds, inFlight: 49 } },
    { bounds: { ...bounds, snapshotSteps: 0 } },
    { bounds: { ...bounds, pushesPerSecond: -1 } },
    { bounds: { ...bounds, staleness: 10_001 } },
    { bounds, microBatches: 2 },
  ]) {
    await assert.rejects(opened.shard.configure({ ...declaration(), ...wrong }, call), {
      reason: "DECLARATION_INVALID",
    });
  }
});
