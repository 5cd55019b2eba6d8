import assert from "node:assert/strict";
import { test } from "node:test";
import type { HeddleError } from "@heddle/base";
import { gatherRows, groupByShard, scatterRows } from "@heddle/kernels";
import { openFileObjects } from "@heddle/objects";
import { float32Of } from "@heddle/tensor";
import { startFalseShard } from "../fixtures/false-shard.ts";
import { readParameters } from "../cuts/snapshot.ts";
import {
  alone,
  declarationOf,
  gradients,
  ids,
  openGang,
  optionsOf,
  type Open,
} from "../fixtures/wire-gang.ts";
import { nothingMoved } from "./traffic.ts";
import type { Gradients, Pulled } from "./wire.ts";

/**
 * What every wire promises.
 *
 * @param remote shards are in other processes: they can be lost, and bytes move.
 */
export function wireContract(name: string, open: Open, remote = true): void {
  const check = (claim: string, body: () => Promise<void>): void => {
    test(`${name}: ${claim}`, body);
  };
  /** Two steps on that many shards: what each pulled, and the values after them. */
  const steps = async (shards: number): Promise<Pulled[]> => {
    await using opened = await openGang(open, shards);
    const wire = await opened.wire();
    const pulled = [await wire.pull(1, ids)];
    await wire.push(1, ids, gradients, false);
    pulled.push(await wire.pull(2, ids.slice(5)));
    await wire.push(2, ids.slice(5, 6), one(gradients), true);
    pulled.push(await wire.pull(3, ids));
    return pulled;
  };

  check("steps read and change the same values on one, two and three shards", async () => {
    const [first, second, third] = await steps(1);
    assert.deepEqual(first?.dense, { bias: Float32Array.of(1), weights: Float32Array.of(2, 3) });
    assert.notDeepEqual(second?.rows["deep"], first?.rows["deep"]?.slice(15));
    assert.notDeepEqual(third?.rows["deep"]?.slice(15, 18), second?.rows["deep"]?.slice(0, 3));
    for (const shards of [2, 3]) assert.deepEqual(await steps(shards), [first, second, third]);
  });

  check("ids that lie together by shard are read and changed as others are", async () => {
    const grouped = ids.slice();
    const places = Int32Array.from(ids.keys());
    groupByShard(grouped, places, 2);
    assert.notDeepEqual(grouped, ids);
    await using opened = await openGang(open, 2);
    const wire = await opened.wire();
    const expected = await steps(2);
    const first = await wire.pull(1, grouped);
    await wire.push(1, grouped, mapRows(gradients, places, scatterRows), false);
    const second = await wire.pull(2, ids.slice(5));
    assert.deepEqual([mapRows(first, places, gatherRows), second], [expected[0], expected[1]]);
  });

  check("a pull of no ids reads dense parameters", async () => {
    await using opened = await openGang(open, 2);
    const pulled = await (await opened.wire()).pull(1, new BigUint64Array());
    assert.deepEqual(pulled.rows, { wide: new Float32Array(), deep: new Float32Array() });
    assert.deepEqual(pulled.dense["weights"], Float32Array.of(2, 3));
  });

  check("with a lag of 1 a push waits for the pull after it, and both are answered", async () => {
    await using opened = await openGang(open, 2);
    const wire = await opened.wire(1, 1);
    const first = await wire.pull(1, ids);
    const push = wire.push(1, ids, gradients, false);
    assert.deepEqual(await wire.pull(2, ids), first);
    await push;
    assert.notDeepEqual(await wire.pull(3, ids), first);
  });

  check("a snapshot holds what was pushed, and restoring returns to it", async () => {
    await using opened = await openGang(open, 2);
    const wire = await opened.wire();
    await wire.pull(1, ids);
    await wire.push(1, ids, gradients, true);
    const { files, rows } = await wire.snapshot(1, "cut");
    assert.equal(rows, 2 * ids.length);
    const before = await wire.pull(2, ids);
    await wire.push(2, ids, gradients, true);
    const objects = await openFileObjects({ path: opened.folder.path });
    const saved = await readParameters(objects, files);
    assert.equal(saved.tables["deep"]?.ids.length, ids.length);
    await wire.restore(1, [{ files }]);
    assert.deepEqual(await wire.pull(2, ids), before);
    const turnover = { refused: 0, expired: 0, counted: 0 };
    const usage = { cpuSeconds: 1, step: 1, lossSum: 0, rows: turnover };
    assert.deepEqual(await wire.usage(), usage);
  });

  check("a refusal of the shard reaches the loop by its name", async () => {
    await using opened = await openGang(open, 2);
    const wire = await opened.wire();
    await wire.pull(1, ids);
    const bad = { ...gradients, dense: { ...gradients.dense, bias: Float32Array.of(NaN) } };
    await assert.rejects(wire.push(1, ids, bad, false), {
      code: "INVALID_ARGUMENT",
      reason: "NOT_FINITE",
    });
    await assert.rejects(wire.pull(9, ids), { code: "FAILED_PRECONDITION", reason: "STEP_ORDER" });
    const waiting = assert.rejects(wire.pull(2, ids), { code: "ABORTED", reason: "FENCED" });
    await opened.wire(2);
    await waiting;
    await assert.rejects(wire.push(1, ids, gradients, false), { reason: "FENCED" });
  });

  check("a call that waits ends when its attempt does", async () => {
    await using opened = await openGang(open, 1);
    const wire = await opened.wire();
    const waiting = assert.rejects(wire.pull(2, ids), { code: "CANCELLED" });
    opened.stop.abort();
    await waiting;
  });

  check(
    "memory that is released serves the next pull, and what is kept stays as it is",
    async () => {
      await using opened = await openGang(open, 2);
      const wire = await opened.wire();
      const many = BigUint64Array.from({ length: 900 }, (_, i) => BigInt(i));
      const first = await wire.pull(1, many);
      const before = structuredClone(first);
      const second = await wire.pull(1, many);
      assert.deepEqual([first, second], [before, before]);
      wire.release(first);
      const third = await wire.pull(1, many);
      assert.deepEqual([second, third], [before, before]);
      assert.equal(third.rows["deep"]?.buffer, first.rows["deep"]?.buffer);
    },
  );

  check("an answer of another size than was asked for is refused, not trained on", async () => {
    await using shard = await startFalseShard();
    const { signal } = new AbortController();
    await using wire = await open(declarationOf(), optionsOf(alone(shard), signal));
    const refused = { code: "INTERNAL", reason: "BAD_SHARD_ANSWER" };
    const own = BigUint64Array.of(5n);
    await assert.rejects(wire.pull(1, own), refused);
    shard.says.rows = [new Uint8Array(4), new Uint8Array(12)];
    await assert.rejects(wire.pull(1, own), refused, "dense parameters are missing");
    shard.says.dense = new Uint8Array(12);
    assert.deepEqual((await wire.pull(1, own)).rows["deep"], float32Of(new Uint8Array(12)));
    await assert.rejects(wire.snapshot(1, "p"), refused);
    shard.says.file = { object: { name: "f", bytes: 7n, sha256: "s" }, rows: 3n };
    const files = [{ name: "f", bytes: 7, sha256: "s" }];
    assert.deepEqual(await wire.snapshot(1, "p"), { files, rows: 3 });
  });

  if (remote) remoteContract(check, open);
}

/** What a wire promises whose shards are in other processes. */
function remoteContract(
  check: (claim: string, body: () => Promise<void>) => void,
  open: Open,
): void {
  check("a lost shard is reported as unavailable", async () => {
    await using opened = await openGang(open, 1);
    const options = { ...optionsOf(opened.gang, opened.stop.signal), stepCallMs: 1_000 };
    await using wire = await open(declarationOf(), options);
    await wire.pull(1, ids);
    await opened.gang[Symbol.asyncDispose]();
    // It is asked again until the call's deadline; which of the two comes last is chance.
    await assert.rejects(wire.push(1, ids, gradients, false), ({ reason }: HeddleError) => {
      assert.match(reason, /^RPC_(UNAVAILABLE|DEADLINE_EXCEEDED)$/);
      return true;
    });
  });

  check("ids travel once for a step, and again to a shard that has forgotten them", async () => {
    await using shard = await startFalseShard();
    Object.assign(shard.says, { rows: [new Uint8Array(8), new Uint8Array(24)] });
    shard.says.dense = new Uint8Array(12);
    const { signal } = new AbortController();
    await using wire = await open(declarationOf(), optionsOf(alone(shard), signal));
    const own = BigUint64Array.of(5n, 6n);
    const push = {
      rows: { wide: new Float32Array(2), deep: new Float32Array(6) },
      dense: gradients.dense,
    };
    await wire.pull(1, own);
    await wire.push(1, own, push, false);
    assert.deepEqual(shard.ids, [2, 0]);
    assert.deepEqual(wire.moved(), {
      ...{ ...nothingMoved, pulled: 60, pushed: 44 },
      ...{ spared: 48, sparedByIds: 48 },
    });
    await wire.pull(2, own);
    shard.says.forgets = 1;
    await wire.pull(2, own);
    await wire.push(2, own, push, false);
    assert.deepEqual(shard.ids.slice(2), [2, 0, 2, 0]);
    await wire.push(3, own.slice(), push, false);
    assert.deepEqual(shard.ids.slice(6), [2], "another list, as far as anybody knows");
  });
}

function one({ rows, dense }: Gradients): Gradients {
  const [wide, deep] = [rows["wide"]?.slice(0, 1), rows["deep"]?.slice(0, 3)];
  return { rows: { wide: wide!, deep: deep! }, dense };
}

/** Rows of all tables, moved from or to some places. */
function mapRows<T extends Gradients>(of: T, places: Int32Array, move: typeof gatherRows): T {
  const rows: Record<string, Float32Array> = {};
  for (const [name, values] of Object.entries(of.rows)) {
    const out = new Float32Array(values.length);
    move(values, values.length / places.length, places, out);
    rows[name] = out;
  }
  return { ...of, rows };
}
