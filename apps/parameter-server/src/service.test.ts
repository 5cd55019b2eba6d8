import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readState } from "@heddle/artifact";
import { isHeddleError } from "@heddle/base";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { type Objects, openFileObjects } from "@heddle/objects";
import { ConfigureRequestSchema, ParameterServerService } from "@heddle/proto/parameter-server";
import { connectLane } from "@heddle/lane";
import { connect } from "@heddle/rpc";
import { silentTelemetry } from "@heddle/telemetry";
import { bytesOf, float32Of } from "@heddle/tensor";
import { type ShardDeps, startShard } from "./index.ts";

const telemetry = silentTelemetry();
const call = { timeoutMs: 5_000 };
const ids = bytesOf(BigUint64Array.of(5n, 9n));
const table = {
  name: "rows",
  dimension: 2,
  rate: 0.1,
  initialAccumulator: 0.1,
  initialDeviation: 0.05,
  seed: 1,
  versions: true,
};
const bias = { name: "bias", initial: bytesOf(Float32Array.of(3)) };
const adam = { rate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-7 };
const ftrl = { rate: 0.1, beta: 1, l1: 0, l2: 0 };
const declaration = (lag = 0, fence = 1n) => ({
  run: "r",
  fence,
  shard: 0,
  shards: 1,
  tables: [table],
  dense: [{ ...bias, rate: 0.1, initialAccumulator: 0.1 }],
  lag,
});
const pullOf = (step: number, fence = 1n) => ({
  fence,
  step: BigInt(step),
  tables: [{ table: "rows", ids }],
  dense: true,
});
const pushOf = (step: number, cut = false, fence = 1n) => ({
  fence,
  step: BigInt(step),
  tables: [{ table: "rows", ids, gradients: bytesOf(Float32Array.of(1, 2, 3, 4)) }],
  dense: bytesOf(Float32Array.of(1)),
  cut,
});

async function openTestShard(lane: ShardDeps["lane"] = "none") {
  const folder = await mkdtemp(join(tmpdir(), "heddle-shard-"));
  const objects: Objects = await openFileObjects({ path: folder });
  const usage = () => ({ cpuSeconds: 1.5, peakMemoryBytes: 77 });
  const server = await startShard({ objects, telemetry, usage, tableRowsMax: 100, lane });
  const shard = connect(ParameterServerService, server.address, { telemetry, actor: "test" });
  return {
    shard,
    objects,
    folder,
    [Symbol.asyncDispose]: async () => {
      await shard[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
}

test("a repeated push is acknowledged and applied once", async () => {
  await using opened = await openTestShard();
  const { shard } = opened;
  await shard.configure(declaration(), call);
  await shard.pull(pullOf(1), call);
  assert.equal((await shard.push(pushOf(1), call)).step, 1n);
  const after = await shard.pull(pullOf(2), call);
  assert.equal((await shard.push(pushOf(1), call)).step, 1n);
  assert.deepEqual((await shard.pull(pullOf(2), call)).rows, after.rows);
});

test("with a lag of 1 a step reads the state after the step before last, and a push waits for that read", async () => {
  await using opened = await openTestShard();
  const { shard } = opened;
  await shard.configure(declaration(1), call);
  const first = await shard.pull(pullOf(1), call);
  const push = shard.push(pushOf(1), call);
  const second = await shard.pull(pullOf(2), call);
  assert.deepEqual(second.rows, first.rows);
  await push;
  const third = await shard.pull(pullOf(3), call);
  assert.equal(third.step, 1n);
  assert.notDeepEqual(third.rows, first.rows);
  await shard.push(pushOf(2, true), call);
  assert.equal((await shard.pull(pullOf(3), call)).step, 2n, "a cut ends the lag");
});

test("a pull whose state does not come ends with its caller's deadline", async () => {
  await using opened = await openTestShard();
  await opened.shard.configure(declaration(), call);
  await assert.rejects(opened.shard.pull(pullOf(2), { timeoutMs: 100 }), {
    code: "DEADLINE_EXCEEDED",
  });
});

test("a lower fence is refused, a higher one takes over, and who waited is told", async () => {
  await using opened = await openTestShard();
  const { shard } = opened;
  await assert.rejects(shard.pull(pullOf(1), call), { reason: "NOT_CONFIGURED" });
  await shard.configure(declaration(0, 2n), call);
  const fenced = { code: "ABORTED", reason: "FENCED" };
  await assert.rejects(shard.configure(declaration(0, 1n), call), fenced);
  await assert.rejects(shard.pull(pullOf(1), call), fenced);
  await assert.rejects(shard.push(pushOf(1), call), fenced);
  await assert.rejects(shard.snapshot({ fence: 1n, step: 0n, objectPrefix: "p" }, call), fenced);
  await assert.rejects(shard.freeze({ fence: 1n, step: 0n }, call), fenced);
  await assert.rejects(shard.restore({ fence: 1n }, call), fenced);
  const waiting = assert.rejects(shard.pull(pullOf(2, 2n), call), fenced);
  await shard.pull(pullOf(1, 2n), call);
  await shard.configure(declaration(0, 3n), call);
  await waiting;
});

test("a shard takes no second run and no declaration that cannot be", async () => {
  await using opened = await openTestShard();
  const { shard } = opened;
  for (const wrong of [
    { run: "" },
    { shards: 0 },
    { lag: 2 },
    { tables: [table, table] },
    { tables: [{ ...table, dimension: 0 }] },
    { tables: [{ ...table, rate: 0 }] },
    { tables: [{ ...table, optimizer: {} }] },
    { tables: [{ ...table, optimizer: { rule: { case: "sgd", value: { rate: 1e-60 } } } }] },
    { tables: [{ ...table, optimizer: { rule: { case: "adam", value: { ...adam, beta2: 1 } } } }] },
    {
      tables: [{ ...table, optimizer: { rule: { case: "adam", value: { ...adam, beta1: NaN } } } }],
    },
    { dense: [{ ...bias, optimizer: { rule: { case: "ftrl", value: ftrl } } }] },
    {
      dense: [
        { name: "d", initial: bytesOf(Float32Array.of(NaN)), rate: 1, initialAccumulator: 1 },
      ],
    },
  ] as MessageInitShape<typeof ConfigureRequestSchema>[]) {
    await assert.rejects(shard.configure({ ...declaration(), ...wrong }, call), {
      reason: "DECLARATION_INVALID",
    });
  }
  await shard.configure(declaration(), call);
  assert.equal((await shard.configure(declaration(), call)).step, 0n);
  await assert.rejects(shard.configure({ ...declaration(), run: "other" }, call), {
    reason: "RUN_DIFFERS",
  });
});

test("a snapshot is written at its step alone and restores to the same bytes", async () => {
  await using opened = await openTestShard();
  const { shard, objects } = opened;
  await shard.configure(declaration(), call);
  await shard.pull(pullOf(1), call);
  await shard.push(pushOf(1, true), call);
  const at = (step: bigint) => ({ fence: 1n, step, objectPrefix: `snapshots/${step}` });
  await assert.rejects(shard.snapshot(at(2n), call), { reason: "STEP_ORDER" });
  const { object } = await shard.snapshot(at(1n), call);
  const before = await shard.pull(pullOf(2), call);
  await shard.push(pushOf(2), call);
  await assert.rejects(shard.pull(pullOf(2), call), { reason: "STEP_ORDER" });
  const restored = await shard.restore({ fence: 1n, step: 1n, objects: [object!] }, call);
  assert.equal(restored.rows, 2n);
  const again = await shard.pull(pullOf(2), call);
  assert.deepEqual([again.rows, again.dense], [before.rows, before.dense]);
  const file = await readState([
    { name: object!.name, chunks: objects.stream(object!.name, object!.sha256) },
  ]);
  assert.deepEqual(file.dense["bias"]?.values, float32Of(again.dense));
  await shard.restore({ fence: 1n, step: 0n }, call);
  const { rows, step, cpuSeconds, peakMemoryBytes } = await shard.stats({}, call);
  assert.deepEqual([rows, step, cpuSeconds, peakMemoryBytes], [0n, 0n, 1.5, 77n]);
});

test("a cut is frozen at once, written while pushes go on, and an increment holds what changed since", async () => {
  await using opened = await openTestShard();
  const { shard, objects } = opened;
  await shard.configure(declaration(), call);
  const step = async (n: number) => {
    await shard.pull(pullOf(n), call);
    await shard.push(pushOf(n, true), call);
  };
  await step(1);
  const cut = { fence: 1n, step: 1n };
  await assert.rejects(shard.freeze({ fence: 1n, step: 2n }, call), { reason: "STEP_ORDER" });
  await shard.freeze(cut, call);
  const atCut = await shard.pull(pullOf(2), call);
  await shard.push(pushOf(2), call);
  await shard.freeze(cut, call);
  const [base, again] = await Promise.all([
    shard.snapshot({ ...cut, objectPrefix: "one" }, call),
    shard.snapshot({ ...cut, objectPrefix: "one" }, call),
  ]);
  assert.deepEqual(again, base, "a repeated call is answered by the same file");
  assert.equal(base.rows, 2n);

  await shard.pull(pullOf(3), call);
  const other = { table: "rows", ids: bytesOf(BigUint64Array.of(77n)) };
  await shard.push(
    { ...pushOf(3), tables: [{ ...other, gradients: bytesOf(Float32Array.of(1, 2)) }] },
    call,
  );
  await shard.freeze({ fence: 1n, step: 3n, sinceStep: 2n }, call);
  const changed = await shard.snapshot({ fence: 1n, step: 3n, objectPrefix: "three" }, call);
  const { object } = changed;
  const file = { name: object!.name, chunks: objects.stream(object!.name, object!.sha256) };
  const { tables } = await readState([file]);
  assert.deepEqual(tables["rows"]?.ids, BigUint64Array.of(77n));

  const now = await shard.pull(pullOf(4), call);
  await shard.restore({ fence: 1n, step: 1n, objects: [base.object!] }, call);
  assert.deepEqual((await shard.pull(pullOf(2), call)).rows, atCut.rows);
  const increments = [{ objects: [object!] }];
  const both = { fence: 1n, step: 3n, objects: [base.object!], increments };
  assert.equal((await shard.restore(both, call)).rows, 3n);
  assert.deepEqual((await shard.pull(pullOf(4), call)).dense, now.dense);
});

test("a cut that another takes the place of is given up by name", async () => {
  await using opened = await openTestShard();
  const { shard, objects } = opened;
  await shard.configure(declaration(), call);
  await shard.pull(pullOf(1), call);
  await shard.push(pushOf(1, true), call);
  const cut = { fence: 1n, step: 1n };
  await shard.freeze(cut, call);
  const given = assert.rejects(shard.snapshot({ ...cut, objectPrefix: "p" }, call), {
    code: "ABORTED",
    reason: "SNAPSHOT_GIVEN_UP",
  });
  await shard.restore({ fence: 1n, step: 0n }, call);
  await given;
  await assert.rejects(shard.snapshot({ ...cut, objectPrefix: "p" }, call), {
    reason: "STEP_ORDER",
  });
  assert.deepEqual(await objects.list("p"), []);
});

test("a corrupt or missing snapshot file is reported and changes nothing", async () => {
  await using opened = await openTestShard();
  const { shard, objects } = opened;
  await shard.configure(declaration(), call);
  const info = await objects.put("bad", new TextEncoder().encode("no tensors"));
  const ref = { name: info.name, bytes: BigInt(info.bytes), sha256: info.sha256 };
  await assert.rejects(shard.restore({ fence: 1n, objects: [ref] }, call), { code: "DATA_LOSS" });
  await writeFile(await objects.path("bad"), "not tensors", { flag: "w" });
  await assert.rejects(shard.restore({ fence: 1n, objects: [ref] }, call), { code: "DATA_LOSS" });
  await assert.rejects(shard.restore({ fence: 1n, objects: [{ ...ref, name: "gone" }] }, call), {
    reason: "NO_SUCH_OBJECT",
  });
  assert.equal((await shard.pull(pullOf(1), call)).step, 0n);
});

test("a lane is offered to the attempt that is obeyed, and carries pulls and pushes with the same errors", async () => {
  await using opened = await openTestShard("unix");
  const { shard } = opened;
  const { pull, push } = ParameterServerService.method;
  const { signal } = new AbortController();
  await assert.rejects(shard.openLane({ fence: 1n }, call), { reason: "NOT_CONFIGURED" });
  await shard.configure(declaration(0, 2n), call);
  await assert.rejects(shard.openLane({ fence: 1n }, call), { reason: "FENCED" });
  await using lane = await connectLane(await shard.openLane({ fence: 2n }, call), { signal });
  const first = await lane.call(pull, pullOf(1, 2n), call);
  await assert.rejects(lane.call(push, { ...pushOf(1), fence: 1n }, call), {
    code: "ABORTED",
    reason: "FENCED",
  });
  const wrong = [{ table: "rows", ids, gradients: new Uint8Array(4) }];
  await assert.rejects(lane.call(push, { ...pushOf(1, false, 2n), tables: wrong }, call), {
    reason: "WRONG_SIZE",
  });
  assert.equal((await lane.call(push, pushOf(1, false, 2n), call)).step, 1n);
  assert.equal((await lane.call(push, pushOf(1, false, 2n), call)).step, 1n, "repeated");
  const [byLane, byGrpc] = [
    await lane.call(pull, pullOf(2, 2n), call),
    await shard.pull(pullOf(2, 2n), call),
  ];
  assert.deepEqual(byLane.rows.map(float32Of), byGrpc.rows.map(float32Of));
  assert.notDeepEqual(byLane.rows.map(float32Of), first.rows.map(float32Of));
});

test("a shard without lanes says so", async () => {
  await using opened = await openTestShard();
  await opened.shard.configure(declaration(), call);
  await assert.rejects(opened.shard.openLane({ fence: 1n }, call), {
    code: "FAILED_PRECONDITION",
    reason: "LANE_NOT_OFFERED",
    message: /by gRPC/,
  });
});

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
