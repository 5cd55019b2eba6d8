import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { test } from "node:test";
import { readState } from "@heddle/artifact";
import type { Objects } from "@heddle/objects";
import { bytesOf, float32Of } from "@heddle/tensor";
import { call, declaration, openTestShard, pullOf, pushOf } from "../fixtures/test-shard.ts";

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

/** A store whose reads, or writes, each wait until the test lets them go. */
function slowly(which: "stream" | "putStream") {
  const held: (() => void)[] = [];
  const wait = (): Promise<void> => new Promise((resolve) => void held.push(resolve));
  async function* late(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    await wait();
    yield* chunks;
  }
  const through = (objects: Objects): Objects =>
    which === "stream"
      ? { ...objects, stream: (...place) => late(objects.stream(...place)) }
      : { ...objects, putStream: (name, chunks) => objects.putStream(name, late(chunks)) };
  const until = async (count: number): Promise<void> => {
    while (held.length < count) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  return { held, through, until };
}

test("a restore that a newer attempt or a later restore overtakes while it reads changes nothing", async () => {
  const { held, through, until } = slowly("stream");
  await using opened = await openTestShard("none", 0, through);
  const { shard } = opened;
  await shard.configure(declaration(), call);
  await shard.pull(pullOf(1), call);
  await shard.push(pushOf(1, true), call);
  const { object } = await shard.snapshot({ fence: 1n, step: 1n, objectPrefix: "p" }, call);
  const cut = { step: 1n, objects: [object!] };
  const first = shard.restore({ ...cut, fence: 1n }, call);
  await until(1);
  assert.equal((await shard.restore({ fence: 1n, step: 0n }, call)).rows, 0n);
  held.pop()?.();
  await assert.rejects(first, { code: "ABORTED", reason: "SNAPSHOT_GIVEN_UP" });
  const second = shard.restore({ ...cut, fence: 1n }, call);
  await until(1);
  await shard.configure(declaration(0, 2n), call);
  held.pop()?.();
  await assert.rejects(second, { code: "ABORTED", reason: "FENCED" });
  const { rows, step } = await shard.stats({}, call);
  assert.deepEqual([rows, step], [0n, 0n]);
});

test("an attempt that is fenced off while its snapshot is written does not get it", async () => {
  const { held, through, until } = slowly("putStream");
  await using opened = await openTestShard("none", 0, through);
  const { shard } = opened;
  await shard.configure(declaration(), call);
  const snapshot = shard.snapshot({ fence: 1n, step: 0n, objectPrefix: "p" }, call);
  await until(1);
  await shard.configure(declaration(0, 2n), call);
  held.pop()?.();
  await assert.rejects(snapshot, { code: "ABORTED", reason: "FENCED" });
});

test("a cut at a step that has one already is another when it counts from elsewhere", async () => {
  await using opened = await openTestShard();
  const { shard } = opened;
  await shard.configure(declaration(), call);
  const other = bytesOf(BigUint64Array.of(77n));
  const gradients = bytesOf(Float32Array.of(1, 2));
  await shard.pull(pullOf(1), call);
  await shard.push(pushOf(1), call);
  await shard.pull(pullOf(2), call);
  await shard.push({ ...pushOf(2), tables: [{ table: "rows", ids: other, gradients }] }, call);
  const cut = { fence: 1n, step: 2n };
  await shard.freeze(cut, call);
  await shard.freeze({ ...cut, sinceStep: 1n }, call);
  const { rows } = await shard.snapshot({ ...cut, objectPrefix: "since" }, call);
  assert.equal(rows, 1n, "only what changed since");
});

test("a shard that returns to a cut sums up losses from what they were there", async () => {
  await using opened = await openTestShard();
  const { shard } = opened;
  await shard.configure(declaration(), call);
  await shard.restore({ fence: 1n, step: 6n, lossSum: 7.5 }, call);
  await shard.pull(pullOf(7), call);
  await shard.push({ ...pushOf(7), lossSum: 0.25 }, call);
  assert.equal((await shard.stats({}, call)).lossSum, 7.75);
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
