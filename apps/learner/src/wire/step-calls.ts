import { present } from "@heddle/base";
import { openPool, type Pool } from "@heddle/lane";
import type { CallOptions } from "@heddle/rpc";
import { bytesOf, float32Of } from "@heddle/tensor";
import { formatOf, fromWire, sparedBytes, toWire } from "./row-format.ts";
import { borrow, type Loan } from "./loan.ts";
import { naming, splitOnce } from "./naming.ts";
import { openAssembly, type Part, type ShardLayout } from "./shard-layout.ts";
import type { Route } from "./shard-wire.ts";
import type { Traffic } from "./traffic.ts";
import type { Pulled, RunDeclaration, Wire } from "./wire.ts";

/** Memory of rows and gradients that is kept for later steps. */
const heldBytesMax = 64 << 20;

/** What the calls of steps share. */
interface Steps {
  readonly fence: bigint;
  readonly tables: RunDeclaration["tables"];
  /** Whether updates overlap within bounds. */
  readonly bounded: boolean;
  readonly layout: ShardLayout;
  readonly pool: Pool;
  readonly traffic: Traffic;
  readonly call: CallOptions;
  partsOf(ids: BigUint64Array): readonly Part[];
  /** Runs a call of each shard. */
  each(
    ids: BigUint64Array,
    run: (route: Route, part: Part, shard: number) => Promise<void>,
  ): Promise<unknown>;
}

/** Pull and push, split over the shards and put together again. */
export function stepCalls(
  { fence, tables, bounds }: RunDeclaration,
  layout: ShardLayout,
  call: CallOptions,
  routes: readonly Route[],
  traffic: Traffic,
): Pick<Wire, "pull" | "release" | "push"> {
  const partsOf = splitOnce(layout);
  const steps: Steps = {
    ...{ fence: BigInt(fence), tables, bounded: bounds !== undefined, layout, traffic, call },
    ...{ pool: openPool({ heldBytesMax }), partsOf },
    each: (ids, run) => {
      const parts = partsOf(ids);
      return Promise.all(routes.map((route, n) => run(route, present(parts[n], "a part"), n)));
    },
  };
  return { ...pullCalls(steps), push: pushCall(steps) };
}

function pullCalls(steps: Steps): Pick<Wire, "pull" | "release"> {
  const { fence, tables, bounded, layout, pool, traffic, call, partsOf, each } = steps;
  const lent = new WeakMap<Pulled, Loan>();
  const wanted = tables.map((table) => ({ table: table.name, format: formatOf(table) }));
  return {
    pull: async (step, ids, microBatch = 0) => {
      const loan = borrow(pool);
      const states: number[] = [];
      const assembly = openAssembly(layout, partsOf(ids), loan.memory);
      await each(ids, (route, part, shard) =>
        naming(part, traffic, "pulled", tables.length, (list) =>
          route.at(step).pull(
            {
              ...{ fence, step: BigInt(step), ...list, tables: wanted, microBatch },
              dense: layout.dense[shard]?.length !== 0,
            },
            call,
            ({ rows, dense, step: state }) => {
              states[shard] = Number(state);
              const came = tables.map((table, t) =>
                fromWire(table, rows[t] ?? new Uint8Array(), loan.memory),
              );
              assembly.take(shard, { rows: came, dense: float32Of(dense) });
              count(traffic, "pulled", tables, rows, dense);
            },
          ),
        ),
      );
      const pulled = { ...assembly.whole(), ...(bounded && { states }) };
      lent.set(pulled, loan);
      return pulled;
    },
    release: (pulled) => {
      lent.get(pulled)?.giveBack();
      lent.delete(pulled);
    },
  };
}

function pushCall(steps: Steps): Wire["push"] {
  const { fence, tables, layout, pool, traffic, call, each } = steps;
  return async (step, ids, gradients, cut, notes = {}) => {
    const { microBatch = 0, lossSum = 0, learnerCpuSeconds = 0, states = [] } = notes;
    const told = { cut, microBatch, lossSum, learnerCpuSeconds };
    await each(ids, async (route, part, shard) => {
      const loan = borrow(pool);
      const own = layout.gradientsOf(shard, part.positions, gradients, loan.memory);
      const sent = tables.map((table, t) => ({
        table: table.name,
        format: formatOf(table),
        gradients: toWire(table, present(own.rows[t], "a table's gradients")),
      }));
      const oldestState = BigInt(states[shard] ?? 0);
      const values = { tables: sent, dense: bytesOf(own.dense), ...told, oldestState };
      await naming(part, traffic, "pushed", tables.length, (list) =>
        route.at(step).push({ fence, step: BigInt(step), ...list, ...values }, call),
      );
      const rows = sent.map((table) => table.gradients);
      count(traffic, "pushed", tables, rows, values.dense);
      // A call that failed may still be on its way out; then its memory is not used again.
      loan.giveBack();
    });
  };
}

/** Counts values that moved, and what they would have taken beside in float32. */
function count(
  traffic: Traffic,
  direction: "pulled" | "pushed",
  tables: RunDeclaration["tables"],
  rows: readonly Uint8Array[],
  dense: Uint8Array,
): void {
  const moved = rows.reduce((sum, { byteLength }) => sum + byteLength, dense.byteLength);
  traffic.add(direction, moved);
  traffic.spare("format", sparedBytes(tables, rows));
}
