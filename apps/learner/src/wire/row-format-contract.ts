import assert from "node:assert/strict";
import { test } from "node:test";
import { startFalseShard } from "../fixtures/false-shard.ts";
import {
  alone,
  declarationOf,
  gradients,
  ids,
  openGang,
  optimizer,
  optionsOf,
  type Open,
} from "../fixtures/wire-gang.ts";

/** What a step reads, pushes, and the next one reads, and what moved. */
async function twoSteps(open: Open, shards: number, deep: Parameters<typeof declarationOf>[2]) {
  await using opened = await openGang(open, shards);
  const wire = await opened.wire(1, 0, deep);
  const first = await wire.pull(1, ids);
  await wire.push(1, ids, gradients, true);
  const second = await wire.pull(2, ids);
  return { first, second, moved: wire.moved() };
}

/** What every wire promises of a table whose rows travel in two bytes, or in one. */
export function rowFormatContract(name: string, open: Open): void {
  const check = (claim: string, body: () => Promise<void>): void => {
    test(`${name}: ${claim}`, body);
  };

  check(
    "a table whose rows travel in two bytes moves half of their bytes, and rounds them",
    async () => {
      const whole = await twoSteps(open, 2, {});
      const half = await twoSteps(open, 2, { wire: "bfloat16" });
      const spared = 2 * 3 * ids.length;
      assert.equal(whole.moved.pulled - half.moved.pulled, 2 * spared);
      assert.equal(whole.moved.pushed - half.moved.pushed, spared);
      assert.equal(half.moved.spared - whole.moved.spared, 3 * spared, "what moved less is said");
      for (const at of ["first", "second"] as const) {
        assert.deepEqual(half[at].rows["wide"], whole[at].rows["wide"]);
        assert.deepEqual(half[at].dense, whole[at].dense);
        const exact = [...(whole[at].rows["deep"] ?? [])];
        half[at].rows["deep"]?.forEach((value, i) => {
          const error = Math.abs(value - (exact[i] ?? NaN));
          // What is pulled is rounded; the step before it went by rounded gradients, too.
          assert.ok(error <= 2 ** -8 * (Math.abs(value) + (at === "first" ? 0 : optimizer.rate)));
        });
        assert.notDeepEqual(half[at].rows["deep"], whole[at].rows["deep"]);
      }
      for (const shards of [1, 3]) {
        const { first, second } = await twoSteps(open, shards, { wire: "bfloat16" });
        assert.deepEqual([first, second], [half.first, half.second]);
      }
    },
  );

  check("in one byte a value, rows move a byte a value and 4 a row, and are rounded", async () => {
    const whole = await twoSteps(open, 2, {});
    const byte = await twoSteps(open, 2, { wire: "int8" });
    // A row of 3 values takes 7 bytes, not 12; the table of one value, asked for alike, stays float32.
    const spared = 5 * ids.length;
    assert.equal(whole.moved.pulled - byte.moved.pulled, 2 * spared);
    assert.equal(whole.moved.pushed - byte.moved.pushed, spared);
    assert.equal(byte.moved.sparedByFormat, 3 * spared);
    assert.deepEqual(byte.first.rows["wide"], whole.first.rows["wide"]);
    const exact = whole.first.rows["deep"] ?? new Float32Array();
    byte.first.rows["deep"]?.forEach((value, i) => {
      const row = exact.subarray(i - (i % 3), i - (i % 3) + 3);
      const part = Math.max(...row.map(Math.abs)) / 127;
      assert.ok(Math.abs(value - (exact[i] ?? NaN)) <= 0.501 * part);
    });
    for (const shards of [1, 3]) {
      const { first, second } = await twoSteps(open, shards, { wire: "int8" });
      assert.deepEqual([first, second], [byte.first, byte.second]);
    }
  });

  check("a gradient that is no number is refused in two bytes and in one, too", async () => {
    for (const format of ["bfloat16", "int8"] as const) {
      await using opened = await openGang(open, 1);
      const wire = await opened.wire(1, 0, { wire: format });
      await wire.pull(1, ids);
      // The bound on a gradient's size, in one byte, is on what comes out.
      for (const bad of [NaN, -NaN, Infinity, -3e38]) {
        const deep = new Float32Array(3 * ids.length);
        deep[7] = bad;
        const push = { ...gradients, rows: { ...gradients.rows, deep } };
        await assert.rejects(wire.push(1, ids, push, false), { reason: "NOT_FINITE" });
      }
    }
  });

  check("an answer in one byte of another size than was asked for is refused by name", async () => {
    await using shard = await startFalseShard();
    const { signal } = new AbortController();
    const declared = declarationOf(1, 0, { wire: "int8" });
    await using wire = await open(declared, optionsOf(alone(shard), signal));
    const own = BigUint64Array.of(5n);
    shard.says.dense = new Uint8Array(12);
    for (const [bytes, reason] of [
      [14, "BAD_SHARD_ANSWER"],
      [12, "WRONG_SIZE"],
    ] as const) {
      shard.says.rows = [new Uint8Array(4), new Uint8Array(bytes)];
      await assert.rejects(wire.pull(1, own), { reason }, `${bytes} bytes`);
    }
    // A scale of 0.5, and 2, −4 and 127 times that.
    shard.says.rows[1] = Uint8Array.of(0, 0, 0, 0x3f, 2, 0xfc, 127);
    assert.deepEqual((await wire.pull(1, own)).rows["deep"], Float32Array.of(1, -2, 63.5));
  });

  check(
    "an answer in two bytes of another size than was asked for is refused by name",
    async () => {
      await using shard = await startFalseShard();
      const { signal } = new AbortController();
      const declared = declarationOf(1, 0, { wire: "bfloat16" });
      await using wire = await open(declared, optionsOf(alone(shard), signal));
      const own = BigUint64Array.of(5n);
      shard.says.dense = new Uint8Array(12);
      // `deep` has rows of 3 values, 6 bytes: float32's 12, as of a shard that knows no formats, is as wrong as 4.
      for (const [bytes, reason] of [
        [4, "BAD_SHARD_ANSWER"],
        [12, "BAD_SHARD_ANSWER"],
        [5, "WRONG_SIZE"],
      ] as const) {
        shard.says.rows = [new Uint8Array(4), new Uint8Array(bytes)];
        await assert.rejects(wire.pull(1, own), { reason }, `${bytes} bytes`);
      }
      // 1, 2 and 3.
      shard.says.rows[1] = Uint8Array.of(0x80, 0x3f, 0x00, 0x40, 0x40, 0x40);
      assert.deepEqual((await wire.pull(1, own)).rows["deep"], Float32Array.of(1, 2, 3));
    },
  );
}
