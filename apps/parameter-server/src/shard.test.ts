import assert from "node:assert/strict";
import { test } from "node:test";
import {
  encodeFile,
  encodeParameters,
  mergeParameters,
  type ParameterState,
  readLayers,
  sortedPieces,
  tablePieces,
  type TableState,
} from "@heddle/artifact";
import { shardOf } from "@heddle/kernels";
import fc from "fast-check";
import type { FrozenShard } from "./cuts/frozen.ts";
import { openShard, type Shard } from "./shard.ts";
import type { Declaration } from "./run/declaration.ts";

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
      versions: true,
    },
  ],
  dense: shard === 0 ? [{ name: "bias", initial: Float32Array.of(1, 2), optimizer: adagrad }] : [],
});
const ones = (n: number): Float32Array => new Float32Array(n).fill(1);
const none = new Float32Array();

/** Restores from states as from their files, each of a layer of its own or all of one. */
function restoreFrom(shard: Shard, layers: readonly (readonly ParameterState[])[]): Promise<void> {
  const restoring = shard.startRestore();
  const fileOf = (state: ParameterState, i: number, all: readonly unknown[]) => ({
    name: `file-${i}`,
    chunks: (async function* () {
      yield* encodeFile({ shard: i, shards: all.length }, tablePieces(state), state.dense);
    })(),
  });
  return readLayers(
    layers.map((files) => files.map(fileOf)),
    restoring,
  ).then(() => restoring.finish(0));
}

/** All of a cut, as `state` gives it. */
function taken(cut: FrozenShard): ParameterState {
  const tables = cut.tables.map(({ name, dimension, view }) => {
    const came: TableState[] = [];
    for (let rows = view.next(64); rows !== undefined; rows = view.next(64)) {
      came.push({ ...rows, dimension });
    }
    const sorted = [...sortedPieces({ name, dimension, slotWidth: dimension }, came).pieces];
    const part = { ids: new BigUint64Array(), values: none, slots: none, dimension };
    return [name, sorted[0] ?? part] as const;
  });
  cut.release();
  return { tables: Object.fromEntries(tables), dense: cut.dense };
}

/** Without versions, which files do not hold. */
const stateOf = ({ tables, dense }: ParameterState): ParameterState => ({
  dense,
  tables: Object.fromEntries(
    Object.entries(tables).map(([name, { ids, values, slots, dimension }]) => [
      name,
      { ids, values, slots, dimension },
    ]),
  ),
});

test("a push over two tables of which one is refused changes neither", () => {
  const shard = openShard(
    { ...declare(1, 2), tables: ["a", "b"].map((name) => ({ ...declare(0, 1).tables[0]!, name })) },
    100,
  );
  const before = encodeParameters(shard.state());
  const good = { table: "a", ids: BigUint64Array.of(1n), gradients: ones(3) };
  const bad = { table: "b", ids: BigUint64Array.of(1n), gradients: Float32Array.of(1, NaN, 1) };
  assert.throws(() => shard.push([good, bad], none, 1), { reason: "NOT_FINITE" });
  assert.throws(() => shard.push([good, { ...bad, gradients: ones(2) }], none, 1), {
    reason: "WRONG_SIZE",
  });
  assert.throws(() => shard.push([good, { ...bad, table: "c" }], none, 1), {
    reason: "UNKNOWN_TABLE",
  });
  assert.throws(() => shard.push([good], ones(1), 1), { reason: "WRONG_SIZE" });
  assert.deepEqual(encodeParameters(shard.state()), before);
});

test("a push of which one dense gradient is bad changes neither rows nor dense parameters", () => {
  const initial = Float32Array.of(1, 2);
  const dense = ["a", "b"].map((name) => ({ name, initial, optimizer: adagrad }));
  const shard = openShard({ ...declare(0, 1), dense }, 100);
  const before = encodeParameters(shard.state());
  const rows = { table: "rows", ids: BigUint64Array.of(1n), gradients: ones(3) };
  assert.throws(() => shard.push([rows], Float32Array.of(1, 1, 1, NaN), 1), {
    reason: "NOT_FINITE",
    message: /^gradient 1 of dense parameter b is NaN/,
  });
  assert.deepEqual(encodeParameters(shard.state()), before);
});

test("a table at its bound refuses a push before anything is applied", () => {
  const shard = openShard(declare(1, 2), 2);
  shard.push([{ table: "rows", ids: BigUint64Array.of(1n, 2n), gradients: ones(6) }], none, 1);
  assert.throws(
    () => shard.push([{ table: "rows", ids: BigUint64Array.of(3n), gradients: ones(3) }], none, 1),
    {
      reason: "TABLE_FULL",
      message: /table rows of at most 2 rows would hold 3; nothing was applied/,
    },
  );
});

test("a frozen shard is the state at its cut, whatever is pushed, restored or frozen meanwhile", async () => {
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
  await restoreFrom(shard, [[before]]);
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

test("each table and each dense parameter has its own update rule, and takes no other's slots", async () => {
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
  await assert.rejects(restoreFrom(shardOf(rules.toReversed()), [[shard.state()]]), {
    reason: "SNAPSHOT_DIFFERS",
    message: /table t0 has the slots of another optimiser, 8 and not 0/,
  });
});

test("a snapshot of another shape is refused and changes nothing", async () => {
  const shard = openShard(declare(0, 1), 100);
  shard.push([{ table: "rows", ids: BigUint64Array.of(1n), gradients: ones(3) }], ones(2), 1);
  const before = shard.state();
  const { rows } = before.tables as Record<string, (typeof before.tables)[string]>;
  for (const part of [
    { ...before, tables: {} },
    { ...before, dense: {} },
    { ...before, dense: { bias: { values: ones(3), slots: ones(3) } } },
    { ...before, tables: { rows: { ...rows!, dimension: 1 } } },
  ]) {
    await assert.rejects(restoreFrom(shard, [[part]]), { reason: "SNAPSHOT_DIFFERS" });
  }
  assert.deepEqual(shard.state(), before);
});

test("parts that hold the same id are not one snapshot", async () => {
  const shard = openShard(declare(0, 1), 100);
  shard.push([{ table: "rows", ids: BigUint64Array.of(1n), gradients: ones(3) }], ones(2), 1);
  const state = shard.state();
  await assert.rejects(restoreFrom(shard, [[state, { ...state, dense: {} }]]), {
    reason: "PARTS_OVERLAP",
  });
});

test("cuts read while pushes go on, in layers of any number of shards, give any number of shards what was there", async () => {
  const pushes = fc.array(fc.uniqueArray(fc.bigInt({ min: 0n, max: 40n }), { maxLength: 8 }), {
    maxLength: 6,
  });
  const counts = fc.integer({ min: 1, max: 4 });
  await fc.assert(
    fc.asyncProperty(pushes, fc.nat(6), counts, counts, counts, async (steps, at, m, k, n) => {
      const open = (shards: number) =>
        Array.from({ length: shards }, (_, i) => openShard(declare(i, shards), 1_000));
      const merged = (states: readonly ParameterState[]): Uint8Array =>
        encodeParameters(mergeParameters(states.map(stateOf)));
      const all = (shards: readonly Shard[]): ParameterState[] => shards.map((s) => s.state());
      const run = (shards: readonly Shard[], from: number, to: number): void => {
        for (let s = from; s < Math.min(to, steps.length); s++) {
          shards.forEach((shard, i) => {
            const ids = BigUint64Array.from(
              steps[s]!.filter((id) => shardOf(id, shards.length) === i),
            );
            const gradients = new Float32Array(ids.length * 3);
            // The gradient of a row is a function of its id, as in a real run.
            ids.forEach((id, r) => gradients.fill(Number(id) - s, r * 3, r * 3 + 3));
            shard.push([{ table: "rows", ids, gradients }], i === 0 ? ones(2) : none, s + 1);
          });
        }
      };
      const one = open(1);
      const first = open(m);
      run(one, 0, at);
      run(first, 0, at);
      const cuts = first.map((shard) => shard.freeze());
      const expected = merged(all(one));
      run(first, at, 9);
      const base = cuts.map(taken);
      assert.deepEqual(merged(base), expected, "what was pushed later is not in the cut");

      const second = open(k);
      for (const shard of second) await restoreFrom(shard, [base]);
      assert.deepEqual(merged(all(second)), expected);
      run(second, at, 9);
      run(one, at, 9);
      const changed = second.map((shard) => taken(shard.freeze(at)));
      assert.deepEqual(
        changed.flatMap(({ tables }) => [...tables["rows"]!.ids]).sort(),
        [...new Set(steps.slice(at).flat())].sort(),
        "only what changed",
      );
      const third = open(n);
      for (const shard of third) await restoreFrom(shard, [base, changed]);
      assert.deepEqual(merged(all(third)), merged(all(one)));
      assert.deepEqual(merged(all(third)), merged(all(first)));
    }),
    { numRuns: 60 },
  );
});
