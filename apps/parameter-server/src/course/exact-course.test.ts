import assert from "node:assert/strict";
import { test } from "node:test";
import { isHeddleError } from "@heddle/base";
import { bytesOf, float32Of } from "@heddle/tensor";
import { call, declaration, ids, openTestShard, pullOf, pushOf } from "../fixtures/test-shard.ts";

test("the micro-batches of a step become one push in their order, whichever comes first", async () => {
  const states: Uint8Array[] = [];
  for (const order of [
    [0, 1, 2],
    [2, 0, 1],
  ]) {
    await using opened = await openTestShard();
    const { shard } = opened;
    await shard.configure({ ...declaration(), microBatches: 3 }, call);
    for (const microBatch of order) await shard.pull({ ...pullOf(1), microBatch }, call);
    const pushes = order.map((microBatch) => shard.push(microPush(microBatch), call));
    for (const { step } of await Promise.all(pushes)) assert.equal(step, 1n);
    assert.equal((await shard.stats({}, call)).lossSum, 3 * 0.25);
    states.push((await shard.pull(pullOf(2), call)).rows[0] ?? new Uint8Array());
  }
  assert.deepEqual(float32Of(states[0]!), float32Of(states[1]!));
});

/** Gradients whose float32 sum depends on the order in which they are added. */
const microPush = (microBatch: number) => {
  const large = [1e8, 1, -1e8][microBatch] ?? 0;
  const gradients = bytesOf(Float32Array.of(large, 2, large, 4));
  const tables = [{ table: "rows", ids, gradients }];
  return { ...pushOf(1), tables, microBatch, lossSum: 0.25 };
};

test("an unknown micro-batch, and one whose gradients are not finite, is refused, and nothing of its step is applied", async () => {
  await using opened = await openTestShard();
  const { shard } = opened;
  await shard.configure({ ...declaration(), microBatches: 2 }, call);
  const unknown = { code: "INVALID_ARGUMENT", reason: "UNKNOWN_MICRO_BATCH" };
  await assert.rejects(shard.pull({ ...pullOf(1), microBatch: 2 }, call), unknown);
  await assert.rejects(shard.push({ ...pushOf(1), microBatch: 2 }, call), unknown);
  for (const microBatch of [0, 1]) await shard.pull({ ...pullOf(1), microBatch }, call);
  const first = shard.push({ ...pushOf(1), microBatch: 0 }, call);
  const bad = { ...pushOf(1), microBatch: 1, dense: bytesOf(Float32Array.of(NaN)) };
  await assert.rejects(shard.push(bad, call), { reason: "NOT_FINITE" });
  assert.equal((await shard.stats({}, call)).step, 0n);
  await shard.push({ ...pushOf(1), microBatch: 1 }, call);
  assert.equal((await first).step, 1n);
});

test("a sum that is not finite is refused to all who pushed a part of it", async () => {
  await using opened = await openTestShard();
  const { shard } = opened;
  await shard.configure({ ...declaration(), microBatches: 2 }, call);
  const before = await shard.pull(pullOf(1), call);
  await shard.pull({ ...pullOf(1), microBatch: 1 }, call);
  const huge = bytesOf(Float32Array.of(3e38, 0, 0, 0));
  const parts = [0, 1].map((microBatch) =>
    shard.push(
      { ...pushOf(1), microBatch, tables: [{ table: "rows", ids, gradients: huge }] },
      call,
    ),
  );
  for (const outcome of await Promise.allSettled(parts)) {
    assert.ok(outcome.status === "rejected" && isHeddleError(outcome.reason, "NOT_FINITE"));
  }
  assert.deepEqual((await shard.pull(pullOf(1), call)).rows, before.rows);
});

test("a part whose caller gave up is none, and a repeated one takes its place", async () => {
  await using opened = await openTestShard();
  const { shard } = opened;
  await shard.configure({ ...declaration(), microBatches: 2 }, call);
  for (const microBatch of [0, 1]) await shard.pull({ ...pullOf(1), microBatch }, call);
  await assert.rejects(shard.push({ ...pushOf(1), microBatch: 0 }, { timeoutMs: 100 }), {
    code: "DEADLINE_EXCEEDED",
  });
  const second = shard.push({ ...pushOf(1), microBatch: 1 }, call);
  const twice = [0, 0].map((microBatch) => shard.push({ ...pushOf(1), microBatch }, call));
  for (const { step } of await Promise.all([second, ...twice])) assert.equal(step, 1n);
});

test("a part that a repeated call took the place of stays when its first caller gives up", async () => {
  await using opened = await openTestShard();
  const { shard } = opened;
  await shard.configure({ ...declaration(), microBatches: 2 }, call);
  for (const microBatch of [0, 1]) await shard.pull({ ...pullOf(1), microBatch }, call);
  const first = shard.push({ ...pushOf(1), microBatch: 0 }, { timeoutMs: 200 });
  const again = shard.push({ ...pushOf(1), microBatch: 0 }, call);
  await assert.rejects(first, { code: "DEADLINE_EXCEEDED" });
  assert.equal((await shard.push({ ...pushOf(1), microBatch: 1 }, call)).step, 1n);
  assert.equal((await again).step, 1n);
});

test("a learner that follows waits for the leader's restore under its fence, and is fenced off with it", async () => {
  await using opened = await openTestShard();
  const { shard } = opened;
  const follower = (fence: bigint) => ({ ...declaration(0, fence), microBatches: 2, learner: 1 });
  const leader = (fence: bigint) => ({ ...follower(fence), learner: 0 });
  const joined = shard.configure(follower(1n), call);
  await shard.configure(leader(1n), call);
  await shard.restore({ fence: 1n, step: 7n }, call);
  assert.equal((await joined).step, 7n);
  await assert.rejects(shard.configure({ ...follower(1n), lag: 1 }, call), {
    reason: "RUN_DIFFERS",
  });
  await shard.pull({ ...pullOf(8), microBatch: 1 }, call);
  const fenced = { code: "ABORTED", reason: "FENCED" };
  const held = assert.rejects(shard.push({ ...pushOf(8), microBatch: 1 }, call), fenced);
  const early = shard.configure(follower(2n), call);
  await shard.configure(leader(2n), call);
  await held;
  await assert.rejects(shard.configure(follower(1n), call), fenced);
  await shard.restore({ fence: 2n, step: 3n }, call);
  assert.equal((await early).step, 3n);
});

test("a return to a cut refuses what was pushed before it", async () => {
  await using opened = await openTestShard();
  const { shard } = opened;
  await shard.configure({ ...declaration(), microBatches: 2 }, call);
  await shard.pull(pullOf(1), call);
  const order = { code: "FAILED_PRECONDITION", reason: "STEP_ORDER" };
  const held = assert.rejects(shard.push(pushOf(1), call), order);
  await shard.pull({ ...pullOf(1), microBatch: 1 }, call);
  await shard.restore({ fence: 1n, step: 0n }, call);
  await held;
});

test("a step of more micro-batches than a shard holds is refused", async () => {
  await using opened = await openTestShard();
  await assert.rejects(opened.shard.configure({ ...declaration(), microBatches: 25 }, call), {
    reason: "DECLARATION_INVALID",
    message: /25 micro-batches; at most 24/,
  });
});
