import assert from "node:assert/strict";
import { test } from "node:test";
import { startFalseShard } from "../fixtures/false-shard.ts";
import {
  alone,
  declarationOf,
  gradients,
  ids,
  openGang,
  optionsOf,
  type Open,
} from "../fixtures/wire-gang.ts";
import type { Wire } from "./wire.ts";

const bounds = { staleness: 3, inFlight: 4, pushesPerSecond: 0, snapshotSteps: 100, rowAge: 2 };
/** Of both tables. */
const rowBytes = 4 * (1 + 3);

/** What every wire promises of rows that were pulled before. */
export function cachedRowsContract(name: string, open: Open): void {
  const check = (claim: string, body: () => Promise<void>): void => {
    test(`${name}: ${claim}`, body);
  };
  /** Wires of so many learners to the same shards, which are at step 0. */
  const learners = async (
    opened: Awaited<ReturnType<typeof openGang>>,
    count = 1,
    bound: Partial<typeof bounds> = bounds,
  ) => {
    const { rowAge: _, ...without } = bounds;
    const wires = new AsyncDisposableStack();
    const options = optionsOf(opened.gang, opened.stop.signal);
    const all: Wire[] = [];
    for (let learner = 0; learner < count; learner++) {
      const declared = { ...declarationOf(), bounds: { ...without, ...bound }, learner };
      all.push(wires.use(await open(declared, options)));
      if (learner === 0) await all[0]?.restore(0, []);
    }
    return { all, [Symbol.asyncDispose]: () => wires.disposeAsync() };
  };
  /** Each has a list of its own, as batches have. */
  const update = async (wire: Wire, number: number, list = ids.slice()) => {
    const pulled = await wire.pull(number, list);
    const push = () => wire.push(number, list, gradients, false, { states: pulled.states ?? [] });
    return { pulled, push };
  };

  check("rows that are young enough are not asked for again, until they are too old", async () => {
    for (const shards of [1, 2]) {
      await using opened = await openGang(open, shards);
      await using gang = await learners(opened);
      const wire = gang.all[0] as Wire;
      const [pulled, moved] = [[], []] as [Awaited<ReturnType<Wire["pull"]>>[], number[]];
      for (const number of [1, 2, 3, 4]) {
        const before = wire.moved();
        const one = await update(wire, number);
        const { pulled: bytes, sparedByCache } = wire.moved();
        pulled.push(structuredClone(one.pulled));
        moved.push(sparedByCache - before.sparedByCache);
        if (number === 2) {
          assert.ok(bytes - before.pulled < 40 + ids.byteLength, "ids, dense parameters and bits");
        }
        await one.push();
      }
      const [first, second, third, fourth] = pulled;
      const whole = ids.length * rowBytes;
      assert.deepEqual(moved, [0, whole, whole, 0]);
      assert.deepEqual([second?.rows, third?.rows], [first?.rows, first?.rows]);
      assert.notDeepEqual(second?.dense, first?.dense, "dense parameters are always asked for");
      assert.notDeepEqual(fourth?.rows, first?.rows);
      const states = pulled.map((one) => one.states);
      assert.deepEqual(
        states,
        [0, 0, 0, 3].map((state) => new Array<number>(shards).fill(state)),
      );
    }
  });

  check("a pull beside its learner's own push reckons with the state after it", async () => {
    await using opened = await openGang(open, 1);
    await using gang = await learners(opened, 1, { staleness: 2, inFlight: 1, rowAge: 2 });
    const wire = gang.all[0] as Wire;
    let pushing: Promise<void> = Promise.resolve();
    const moved = [];
    for (const number of [1, 2, 3, 4]) {
      const before = wire.moved();
      // It waits at the shard for the push before.
      const { push } = await update(wire, number);
      const { pulled, sparedByCache } = wire.moved();
      moved.push([pulled - before.pulled, sparedByCache - before.sparedByCache]);
      await pushing;
      pushing = push();
    }
    await pushing;
    const [rows, dense] = [ids.length * rowBytes, 12];
    const known = [ids.byteLength + dense + 2 * (ids.length / 8), rows];
    const all = [ids.byteLength + rows + dense, 0];
    assert.deepEqual(moved, [all, known, known, all]);
  });

  check(
    "of a list that is known in part the rest is asked for, and lies in its place",
    async () => {
      const half = ids.filter((_, i) => i % 3 === 0);
      const rowsOf = async (shards: number, bound: Partial<typeof bounds>) => {
        await using opened = await openGang(open, shards);
        await using gang = await learners(opened, 1, bound);
        const wire = gang.all[0] as Wire;
        await wire.pull(1, half);
        const { rows } = await wire.pull(2, ids);
        return { rows, moved: wire.moved() };
      };
      const anew = await rowsOf(1, {});
      assert.equal(anew.moved.sparedByCache, 0);
      for (const shards of [1, 3]) {
        const known = await rowsOf(shards, bounds);
        assert.deepEqual(known.rows, anew.rows);
        assert.equal(known.moved.sparedByCache, half.length * rowBytes);
      }
    },
  );

  check("where others have pushed beyond the bound meanwhile, all rows are read anew", async () => {
    await using opened = await openGang(open, 2);
    await using gang = await learners(opened, 2);
    const [own, other] = gang.all as [Wire, Wire];
    const first = await update(own, 1);
    await first.push();
    for (const number of [2, 3, 4]) await (await update(other, number)).push();
    const { pulled, push } = await update(own, 5);
    assert.deepEqual(pulled.states, [4, 4]);
    assert.notDeepEqual(pulled.rows, first.pulled.rows);
    await push();
  });

  check("a push that was refused as too stale is not computed on the same rows again", async () => {
    await using opened = await openGang(open, 2);
    await using gang = await learners(opened, 2);
    const [own, other] = gang.all as [Wire, Wire];
    await (await update(own, 1)).push();
    const second = await update(own, 2);
    assert.deepEqual(second.pulled.states, [0, 0], "from the pull before");
    for (const number of [3, 4, 5]) await (await update(other, number)).push();
    await assert.rejects(second.push(), { reason: "STALE_PUSH" });
    const again = await update(own, 2);
    assert.deepEqual(again.pulled.states, [4, 4]);
    await again.push();
    assert.deepEqual((await own.usage()).overlap?.refused, 2);
  });

  check("what was pulled before a return to a cut counts no more", async () => {
    await using opened = await openGang(open, 1);
    await using gang = await learners(opened);
    const wire = gang.all[0] as Wire;
    await (await update(wire, 1)).push();
    const before = await wire.pull(2, ids);
    await wire.restore(0, []);
    await wire.pull(1, ids);
    assert.equal(wire.moved().sparedByCache, ids.length * rowBytes, "of the pull before");
    assert.deepEqual(before.states, [0]);
  });

  check("a shard that has returned by itself is asked for all", async () => {
    await using shard = await startFalseShard();
    const { signal } = new AbortController();
    await using wire = await open({ ...declarationOf(), bounds }, optionsOf(alone(shard), signal));
    const own = BigUint64Array.of(5n, 6n);
    const both = [new Uint8Array(8), new Uint8Array(24)];
    Object.assign(shard.says, { rows: both, dense: new Uint8Array(12), state: 7n });
    await wire.pull(8, own);
    shard.says.rows = [new Uint8Array(), new Uint8Array()];
    assert.deepEqual((await wire.pull(9, own)).states, [7]);
    await assert.rejects(wire.pull(10, BigUint64Array.of(5n, 7n)), { reason: "BAD_SHARD_ANSWER" });
    Object.assign(shard.says, { state: 3n });
    // It says that it is at an earlier state; then it is asked for both rows, and answers none.
    await assert.rejects(wire.pull(11, own), { reason: "BAD_SHARD_ANSWER" });
    assert.deepEqual(shard.held, [
      [0, 0],
      [1, 1],
      [1, 1],
      [1, 1],
      [0, 0],
    ]);
  });
}
