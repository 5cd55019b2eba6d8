import { float32Of } from "@heddle/tensor";
import type { FoundRows } from "./cached-rows.ts";
import { borrow, type Loan } from "./loan.ts";
import { naming } from "./naming.ts";
import { formatOf, fromWire } from "./row-format.ts";
import { type Assembly, openAssembly, type Part } from "./shard-layout.ts";
import type { Route } from "./shard-wire.ts";
import { count, type Steps } from "./steps.ts";
import type { Pulled, Wire } from "./wire.ts";

/** A pull under way. */
interface Pull {
  readonly step: number;
  readonly microBatch: number;
  readonly loan: Loan;
  readonly assembly: Assembly;
}

/** `Wire.pull` and `Wire.release`. */
export function pullCalls(steps: Steps): Pick<Wire, "pull" | "release"> {
  const { bounds, layout, pool, cached, traffic, partsOf, each } = steps;
  const lent = new WeakMap<Pulled, Loan>();
  return {
    pull: async (step, ids, microBatch = 0) => {
      const loan = borrow(pool);
      const states: number[] = [];
      const assembly = openAssembly(layout, partsOf(ids), loan.memory);
      const pull = { step, microBatch, loan, assembly };
      await each(ids, async (route, part, shard) => {
        const found = cached[shard]?.find(part, loan.memory);
        const state = await pullFrom(steps, pull, { route, part, shard }, found);
        states[shard] = Math.min(state, found?.oldest ?? Infinity);
        if (found === undefined) return;
        if (isTooOld(state, found, bounds?.staleness)) {
          if (state < found.newest) cached[shard]?.forget();
          states[shard] = await pullFrom(steps, pull, { route, part, shard }, undefined);
          return;
        }
        found.tables.forEach(({ positions, rows }, t) => {
          assembly.place(shard, t, positions, rows);
          traffic.spare("cache", rows.byteLength);
        });
      });
      const pulled = { ...assembly.whole(), ...(bounds && { states }) };
      lent.set(pulled, loan);
      return pulled;
    },
    release: (pulled) => {
      lent.get(pulled)?.giveBack();
      lent.delete(pulled);
    },
  };
}

/**
 * Reads a shard's part.
 *
 * @param found what it need not be asked for.
 * @returns the shard's state.
 */
async function pullFrom(
  steps: Steps,
  { step, microBatch, loan, assembly }: Pull,
  { route, part, shard }: { readonly route: Route; readonly part: Part; readonly shard: number },
  found: FoundRows | undefined,
): Promise<number> {
  const { fence, tables, layout, cached, traffic, call } = steps;
  const request = {
    ...{ fence, step: BigInt(step), microBatch },
    tables: tables.map((table, t) => ({
      ...{ table: table.name, format: formatOf(table) },
      ...(found && { held: found.tables[t]?.held ?? new Uint8Array() }),
    })),
    dense: layout.dense[shard]?.length !== 0,
  };
  const wanted = found?.tables.map((table) => table.wanted);
  let state = 0;
  await naming(part, traffic, "pulled", tables.length, (list) =>
    route.at(step).pull({ ...request, ...list }, call, ({ rows, dense, step: at }) => {
      state = Number(at);
      const came = tables.map((table, t) =>
        fromWire(table, rows[t] ?? new Uint8Array(), loan.memory),
      );
      assembly.take(shard, { rows: came, dense: float32Of(dense) }, wanted);
      cached[shard]?.heard(state);
      cached[shard]?.keep(part, found, came, state);
      count(steps, "pulled", rows, dense);
    }),
  );
  for (const { held } of found?.tables ?? []) traffic.add("pulled", held.byteLength);
  return state;
}

/**
 * Whether rows that were found are from before the bound, so that what is computed on them would be refused, or of a state that the shard
 * has returned from. Then all are read anew.
 */
function isTooOld(state: number, found: FoundRows, staleness = 0): boolean {
  return state < found.newest || state - found.oldest > staleness;
}
