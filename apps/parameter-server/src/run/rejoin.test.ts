import assert from "node:assert/strict";
import { test } from "node:test";
import { call, declaration, openTestShard, pullOf, pushOf } from "../fixtures/test-shard.ts";

const bounds = { staleness: 4, inFlight: 4, pushesPerSecond: 0, snapshotSteps: 4 };
const life = 3;
const pull = (step: number) => ({ ...pullOf(step), life });
const push = (step: number, oldestState: number) => ({
  ...pushOf(step),
  ...{ life, oldestState: BigInt(oldestState) },
});
const told = (learner: number, begun: number, open: readonly number[]) => ({
  ...{ fence: 1n, life, learner, learners: 2, begun: BigInt(begun), open: open.map(BigInt) },
  ...{ copied: 0n, lossSum: begun / 4, learnerCpuSeconds: learner },
});

test("a shard in a lost one's place serves nobody before all learners are back, and counts as applied what will not come", async () => {
  await using opened = await openTestShard("none", life);
  const { shard } = opened;
  await shard.configure({ ...declaration(), bounds }, call);
  const follower = shard.configure({ ...declaration(), bounds, learner: 1 }, call);
  await shard.restore({ fence: 1n, step: 0n, lossSum: 9 }, call);
  assert.equal((await follower).step, 0n);
  // Learner 0 has updates 1, 3, 5, learner 1 has 2, 4: of these 3 and 4 were not acknowledged.
  const first = shard.pull(pull(3), call);
  const leader = shard.rejoin(told(0, 5, [3, 5]), call);
  await assert.rejects(shard.pull(pull(4), { timeoutMs: 100 }), { code: "DEADLINE_EXCEEDED" });
  const back = await shard.rejoin(told(1, 4, [4]), call);
  assert.deepEqual([back.step, back.lostUpdates], [2n, 2n]);
  assert.deepEqual((await leader).lostUpdates, 2n);
  assert.equal((await first).step, 2n);
  assert.equal((await shard.rejoin(told(1, 4, [4]), call)).lostUpdates, 2n, "repeated");

  assert.equal((await shard.push(push(2, 0), call)).step, 2n, "it counts as applied");
  const stats = await shard.stats({}, call);
  assert.deepEqual([stats.lossSum, stats.learnerCpuSeconds], [2.25, 1]);
  await shard.push(push(3, 2), call);
  await shard.pull(pull(4), call);
  const lost = { ...push(4, 0), life: 0 };
  await assert.rejects(shard.push(lost, call), {
    code: "ABORTED",
    reason: "STALE_PUSH",
    message: /push of step 4 was computed from a state of a process that is lost/,
  });
  await shard.push(push(4, 3), call);
  const { overlap, step } = await shard.stats({}, call);
  assert.equal(step, 4n);
  assert.deepEqual([overlap?.pushes, overlap?.refused], [[2n, 0n, 0n, 0n, 0n], 1n]);
  const { object } = await shard.snapshot({ fence: 1n, step: 4n, objectPrefix: "p" }, call);
  assert.equal(object?.name, "p/shard-0-of-1-life-3.tensors");
});

test("a call for another process of the shard is refused by name", async () => {
  await using opened = await openTestShard("none", life);
  const { shard } = opened;
  await assert.rejects(shard.rejoin(told(0, 0, []), call), { reason: "NOT_CONFIGURED" });
  await shard.configure({ ...declaration(), bounds }, call);
  const replaced = {
    code: "ABORTED",
    reason: "SHARD_REPLACED",
    message: /for life 0 .* is life 3/,
  };
  await assert.rejects(shard.pull({ ...pull(1), life: 0 }, call), replaced);
  await assert.rejects(shard.rejoin({ ...told(0, 0, []), life: 0 }, call), replaced);
  await assert.rejects(shard.rejoin({ ...told(0, 0, []), fence: 0n }, call), { reason: "FENCED" });
});

test("learners that cannot be those of one gang do not come back", async () => {
  await using opened = await openTestShard("none", life);
  const { shard } = opened;
  await shard.configure({ ...declaration(), bounds }, call);
  await shard.restore({ fence: 1n, step: 0n }, call);
  const wrong = [
    { ...told(0, 4, []), learner: 2 },
    told(0, 17, []),
    { ...told(0, 4, []), copied: 20n },
    told(0, 4, [5]),
    told(0, 9, [1, 2, 3, 4, 5, 6, 7, 8, 9]),
    { ...told(0, 4, []), lossSum: NaN },
  ];
  for (const one of wrong) {
    await assert.rejects(shard.rejoin(one, call), { reason: "REJOIN_INVALID" });
  }
  const leader = assert.rejects(shard.rejoin(told(0, 4, []), { timeoutMs: 300 }), {
    code: "DEADLINE_EXCEEDED",
  });
  await assert.rejects(shard.rejoin({ ...told(1, 4, []), learners: 3 }, call), {
    reason: "REJOIN_INVALID",
    message: /learners of 2 and of 3/,
  });
  await leader;
});

test("in exact mode no learner comes back", async () => {
  await using opened = await openTestShard("none", life);
  await opened.shard.configure(declaration(), call);
  await assert.rejects(opened.shard.rejoin(told(0, 0, []), call), {
    reason: "REJOIN_INVALID",
    message: /exact mode/,
  });
});

test("a cut that is held lets nothing pass before it is asked for again without", async () => {
  await using opened = await openTestShard();
  const { shard } = opened;
  const one = { staleness: 0, inFlight: 1, pushesPerSecond: 0, snapshotSteps: 1 };
  await shard.configure({ ...declaration(), bounds: one }, call);
  await shard.pull(pullOf(1), call);
  await shard.push(pushOf(1), call);
  const cut = { fence: 1n, step: 1n };
  await shard.freeze({ ...cut, hold: true }, call);
  await shard.snapshot({ ...cut, objectPrefix: "p" }, call);
  await assert.rejects(shard.pull(pullOf(2), { timeoutMs: 100 }), { code: "DEADLINE_EXCEEDED" });
  await shard.freeze(cut, call);
  assert.equal((await shard.pull(pullOf(2), call)).step, 1n);
});
