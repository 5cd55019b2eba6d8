import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeParameters, mergeParameters } from "@heddle/artifact";
import { shardOf } from "@heddle/kernels";
import fc from "fast-check";
import { type Declaration, openShard } from "./shard.ts";

const adagrad = { kind: "adagrad", rate: 0.1, initialAccumulator: 0.1, epsilon: 1e-7 } as const;
const declare = (shard: number, shards: number): Declaration => ({
  shard,
  shards,
  tables: [
    {
      name: "rows",
      dimension: 3,
      optimizer: adagrad,
      initialDeviation: 0.05,
      seed: 7,
    },
  ],
  dense: shard === 0 ? [{ name: "bias", initial: Float32Array.of(1, 2), optimizer: adagrad }] : [],
});
const ones = (n: number): Float32Array => new Float32Array(n).fill(1);
const none = new Float32Array();

test("a push over two tables of which one is refused changes neither", () => {
  const shard = openShard(
    { ...declare(1, 2), tables: ["a", "b"].map((name) => ({ ...declare(0, 1).tables[0]!, name })) },
    100,
  );
  const before = encodeParameters(shard.state());
  const good = { table: "a", ids: BigUint64Array.of(1n), gradients: ones(3) };
  const bad = { table: "b", ids: BigUint64Array.of(1n), gradients: Float32Array.of(1, NaN, 1) };
  assert.throws(() => shard.push([good, bad], none), { reason: "NOT_FINITE" });
  assert.throws(() => shard.push([good, { ...bad, gradients: ones(2) }], none), {
    reason: "WRONG_SIZE",
  });
  assert.throws(() => shard.push([good, { ...bad, table: "c" }], none), {
    reason: "UNKNOWN_TABLE",
  });
  assert.throws(() => shard.push([good], ones(1)), { reason: "WRONG_SIZE" });
  assert.deepEqual(encodeParameters(shard.state()), before);
});

test("a table at its bound refuses a push before anything is applied", () => {
  const shard = openShard(declare(1, 2), 2);
  shard.push([{ table: "rows", ids: BigUint64Array.of(1n, 2n), gradients: ones(6) }], none);
  assert.throws(
    () => shard.push([{ table: "rows", ids: BigUint64Array.of(3n), gradients: ones(3) }], none),
    {
      reason: "TABLE_FULL",
      message: /table rows of at most 2 rows would hold 3; nothing was applied/,
    },
  );
});

test("a frozen shard is the state at its cut, whatever is pushed, restored or frozen meanwhile", () => {
  const declaration = declare(0, 1);
  const versioned = (name: string) => ({ ...declaration.tables[0]!, name, versions: true });
  const shard = openShard({ ...declaration, tables: ["a", "b"].map(versioned) }, 100);
  const ids = BigUint64Array.of(0n, 5n, 2n ** 64n - 1n);
  const push = (table: string, version?: number): void => {
    shard.push([{ table, ids, gradients: ones(9) }], ones(2), version);
  };
  push("a");
  push("b", 7);
  const before = shard.state();
  const frozen = shard.freeze(1);
  assert.throws(() => shard.freeze(), { reason: "TABLE_FROZEN" });
  push("b");
  shard.restore([before]);
  push("b");
  const all = shard.freeze();
  all.release();
  const [a, b] = frozen.tables.map(({ view }) => view.next(1e6));
  assert.equal(frozen.version, 7);
  assert.deepEqual(a!.ids, new BigUint64Array());
  assert.deepEqual(b!.ids.toSorted(), ids.toSorted());
  assert.deepEqual(b!.versions, Uint32Array.of(7, 7, 7));
  for (const [i, id] of b!.ids.entries()) {
    const at = before.tables["b"]!.ids.indexOf(id);
    assert.deepEqual(
      b!.values.slice(3 * i, 3 * i + 3),
      before.tables["b"]!.values.slice(3 * at, 3 * at + 3),
    );
  }
  assert.deepEqual(frozen.dense, before.dense);
  frozen.release();
});

test("each table and each dense parameter has its own update rule, and takes no other's slots", () => {
  const [table] = declare(0, 1).tables;
  const rules = [
    { kind: "adam", rate: 0.1, beta1: 0.9, beta2: 0.99, epsilon: 1e-7 },
    { kind: "sgd", rate: 0.1 },
  ] as const;
  const shardOf = (optimizers: readonly Declaration["dense"][number]["optimizer"][]) =>
    openShard(
      {
        ...declare(0, 1),
        tables: optimizers.map((optimizer, i) => ({ ...table!, name: `t${i}`, optimizer })),
        dense: optimizers.map((optimizer, i) => ({ name: `d${i}`, initial: ones(2), optimizer })),
      },
      100,
    );
  const shard = shardOf(rules);
  const ids = BigUint64Array.of(1n);
  shard.push(
    ["t0", "t1"].map((name) => ({ table: name, ids, gradients: ones(3) })),
    ones(4),
  );
  const { tables, dense } = shard.state();
  assert.deepEqual([tables["t0"]!.slots.length, tables["t1"]!.slots.length], [8, 0]);
  assert.deepEqual([dense["d0"]!.slots.length, dense["d1"]!.slots.length], [6, 0]);
  assert.throws(() => shardOf(rules.toReversed()).restore([shard.state()]), {
    reason: "SNAPSHOT_DIFFERS",
    message: /table t0 has the slots of another optimiser, 8 and not 0/,
  });
});

test("a snapshot of another shape is refused and changes nothing", () => {
  const shard = openShard(declare(0, 1), 100);
  shard.push([{ table: "rows", ids: BigUint64Array.of(1n), gradients: ones(3) }], ones(2));
  const before = shard.state();
  const { rows } = before.tables as Record<string, (typeof before.tables)[string]>;
  for (const part of [
    { ...before, tables: {} },
    { ...before, dense: {} },
    { ...before, dense: { bias: { values: ones(3), slots: ones(3) } } },
    { ...before, tables: { rows: { ...rows!, dimension: 1 } } },
  ]) {
    assert.throws(() => shard.restore([part]), { reason: "SNAPSHOT_DIFFERS" });
  }
  assert.deepEqual(shard.state(), before);
});

test("parts that hold the same id are not one snapshot", () => {
  const shard = openShard(declare(0, 1), 100);
  shard.push([{ table: "rows", ids: BigUint64Array.of(1n), gradients: ones(3) }], ones(2));
  assert.throws(() => shard.restore([shard.state(), shard.state()]), { reason: "PARTS_OVERLAP" });
});

test("merged snapshots do not depend on the number of shards, and restoring on any number gives them back", () => {
  const pushes = fc.array(fc.uniqueArray(fc.bigInt({ min: 0n, max: 40n }), { maxLength: 8 }), {
    maxLength: 6,
  });
  fc.assert(
    fc.property(
      pushes,
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 4 }),
      (steps, m, n) => {
        const open = (shards: number) =>
          Array.from({ length: shards }, (_, i) => openShard(declare(i, shards), 1_000));
        const merged = (shards: ReturnType<typeof open>): Uint8Array =>
          encodeParameters(mergeParameters(shards.map((shard) => shard.state())));
        const run = (shards: ReturnType<typeof open>): void => {
          steps.forEach((step, s) => {
            shards.forEach((shard, i) => {
              const ids = BigUint64Array.from(
                step.filter((id) => shardOf(id, shards.length) === i),
              );
              const gradients = new Float32Array(ids.length * 3);
              // The gradient of a row is a function of its id, as in a real run.
              ids.forEach((id, k) => gradients.fill(Number(id) - s, k * 3, k * 3 + 3));
              shard.push([{ table: "rows", ids, gradients }], i === 0 ? ones(2) : none);
            });
          });
        };
        const one = open(1);
        const several = open(m);
        run(one);
        run(several);
        assert.deepEqual(merged(several), merged(one));
        const restored = open(n);
        for (const shard of restored) shard.restore(several.map((s) => s.state()));
        assert.deepEqual(merged(restored), merged(one));
        run(restored);
        run(one);
        assert.deepEqual(merged(restored), merged(one));
      },
    ),
    { numRuns: 60 },
  );
});
