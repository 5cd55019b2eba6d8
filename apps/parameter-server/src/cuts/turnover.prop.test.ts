import { encodeFile, readLayers, sortedPieces, type TableState } from "@heddle/artifact";
import { shardOf } from "@heddle/kernels";
import fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import { openShard, type Shard } from "../shard.ts";
import type { FrozenShard } from "./frozen.ts";
import type { Declaration } from "../run/declaration.ts";

type Turnover = Pick<Declaration["tables"][number], "admission" | "expiry">;

const declare = (shard: number, shards: number, turnover: Turnover): Declaration => ({
  ...{ shard, shards, dense: [] },
  tables: [
    {
      ...{ name: "rows", dimension: 3, initialDeviation: 0.05, seed: 7, versions: true },
      optimizer: { kind: "adagrad", rate: 0.1, initialAccumulator: 0.1, epsilon: 1e-7 },
      ...turnover,
    },
  ],
});

/** Ids of a step's push. */
type Step = readonly bigint[];

function gangOf(shards: number, turnover: Turnover): readonly Shard[] {
  return Array.from({ length: shards }, (_, i) => openShard(declare(i, shards, turnover), 1_000));
}

function push(gang: readonly Shard[], ids: Step, step: number): void {
  gang.forEach((shard, i) => {
    const own = BigUint64Array.from(ids.filter((id) => shardOf(id, gang.length) === i));
    const gradients = Float32Array.from({ length: own.length * 3 }, (_, at) =>
      Math.sin(Number(own[Math.floor(at / 3)]) + step + (at % 3)),
    );
    shard.push([{ table: "rows", ids: own, gradients }], new Float32Array(), step);
  });
}

/** A cut's file, as `saveCut` has it made. */
function fileOf(cut: FrozenShard, shard: number, shards: number): Uint8Array {
  const tables = cut.tables.map(({ view, ...table }) => {
    const came: TableState[] = [];
    for (let rows = view.next(64); rows !== undefined; rows = view.next(64)) {
      came.push({ ...rows, dimension: table.dimension });
    }
    return sortedPieces({ ...table, slotWidth: table.name === "rows" ? 3 : 0 }, came);
  });
  cut.release();
  const clock = cut.clock === undefined ? {} : { clock: cut.clock };
  return Buffer.concat([...encodeFile({ shard, shards, ...clock }, tables, {})]);
}

type Layer = readonly Uint8Array[];
const cutOf = (gang: readonly Shard[], since?: number): Layer =>
  gang.map((shard, i) => fileOf(shard.freeze(since), i, gang.length));

async function restored(
  gang: readonly Shard[],
  layers: readonly Layer[],
  step: number,
): Promise<readonly Shard[]> {
  for (const shard of gang) {
    const restoring = shard.startRestore();
    const sources = layers.map((files) =>
      files.map((file, i) => ({
        name: `file-${i}`,
        chunks: (async function* () {
          yield* [file];
        })(),
      })),
    );
    await readLayers(sources, restoring);
    restoring.finish(step);
  }
  return gang;
}

/** All that a gang has, whatever its size: rows, counts and the clock. */
async function stateOf(gang: readonly Shard[], turnover: Turnover): Promise<unknown> {
  const [one] = await restored(gangOf(1, turnover), [cutOf(gang)], 0);
  return one!.state();
}

const turnovers: fc.Arbitrary<Turnover> = fc.constantFrom(
  { expiry: { steps: 3 } },
  { admission: { count: 2 } },
  { admission: { count: 2 }, expiry: { steps: 3 } },
  { admission: { count: 3 }, expiry: { steps: 5 } },
  { admission: { probability: 0.5 }, expiry: { steps: 2 } },
);
const steps = fc.array(fc.uniqueArray(fc.bigInt({ min: 0n, max: 12n }), { maxLength: 4 }), {
  minLength: 6,
  maxLength: 30,
});
const gangs = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 3, maxLength: 3 });

test("rows and counts that were cut in layers, by gangs of any size, are those of a gang that was never lost, in child runs too", async () => {
  let [expired, counted] = [0, 0];
  await fc.assert(
    fc.asyncProperty(turnovers, steps, gangs, fc.nat(8), async (turnover, all, sizes, every) => {
      const whole = gangOf(1, turnover);
      let gang = gangOf(2, turnover);
      let layers: Layer[] = [];
      let since: number | undefined;
      const base = Math.floor(all.length / 3);
      for (const [i, ids] of all.entries()) {
        // A third of the way on a child run begins, whose steps count from 1 again.
        const step = i < base ? i + 1 : i - base + 1;
        for (const each of [whole, gang]) push(each, ids, step);
        const ends = i + 1 === base;
        if (i % (every + 1) !== every && !ends) continue;
        layers = [...layers, cutOf(gang, since)];
        since = ends ? undefined : step;
        assert.deepEqual(await stateOf(gang, turnover), await stateOf(whole, turnover));
        gang = await restored(gangOf(sizes[i % 3]!, turnover), layers, ends ? 0 : step);
        if (ends) {
          await restored(whole, [cutOf(whole)], 0);
          layers = [];
        }
      }
      assert.deepEqual(await stateOf(gang, turnover), await stateOf(whole, turnover));
      expired += whole[0]!.turnover.expired;
      counted += whole[0]!.turnover.counted;
    }),
    { numRuns: 100 },
  );
  assert.ok(expired > 50 && counted > 50, `${expired} expired, ${counted} counted`);
});

test("a file without versions begins a table's clock, one with them goes on where it stood, and a table that keeps rows for ever takes neither", async () => {
  const [forever, aging] = [{}, { expiry: { steps: 4 } }];
  const old = gangOf(1, forever);
  for (let step = 1; step <= 9; step++) push(old, [1n, 2n], step);
  const young = await restored(gangOf(1, aging), [cutOf(old)], 0);
  assert.equal(young[0]!.rows, 2);
  for (let step = 1; step <= 4; step++) push(young, [2n], step);
  assert.deepEqual(young[0]!.state().tables["rows"]!.ids, BigUint64Array.of(2n));
  assert.equal(young[0]!.state().clock, 4);

  const child = await restored(gangOf(1, aging), [cutOf(young)], 0);
  for (let step = 1; step <= 3; step++) push(child, [5n], step);
  assert.deepEqual(child[0]!.state().tables["rows"]!.ids, BigUint64Array.of(2n, 5n));
  push(child, [], 4);
  assert.deepEqual(child[0]!.state().tables["rows"]!.ids, BigUint64Array.of(5n));

  const kept = await restored(gangOf(1, forever), [cutOf(child)], 0);
  push(kept, [7n], 1);
  assert.deepEqual(kept[0]!.state().tables["rows"]!.ids, BigUint64Array.of(5n, 7n));
  assert.equal(kept[0]!.state().clock, undefined);
});
