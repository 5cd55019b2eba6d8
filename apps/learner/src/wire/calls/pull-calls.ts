import { float32Of } from "@heddle/tensor";
import type { FoundRows } from "./cached-rows.ts";
import { borrow, type Loan } from "../shard/loan.ts";
import { naming } from "./naming.ts";
import { formatOf, fromWire } from "../shard/row-format.ts";
import { type Assembly, openAssembly, type Part } from "../shard/shard-layout.ts";
import type { Life } from "../shard/shard-link.ts";
import { count, type LinkedShard, type Steps } from "./steps.ts";
import type { Pulled, Wire } from "../wire.ts";

/** A pull of one shard's part. */
interface PartPull {
  readonly step: number;
  readonly microBatch: number;
  readonly loan: Loan;
  readonly assembly: Assembly;
  readonly at: LinkedShard;
  readonly part: Part;
  readonly shard: number;
  /** Whether all rows are asked for. */
  readonly anew: boolean;
}

/** What came of it. */
interface PartRead {
  /** The shard's state. */
  readonly state: number;
  /** The process that answered. */
  readonly life: number;
  /** What it was not asked for; undefined where all was. */
  readonly found: FoundRows | undefined;
}

/** `Wire.pull` and `Wire.release`. */
export function pullCalls(steps: Steps): Pick<Wire, "pull" | "release"> {
  const { bounds, layout, pulls, lists, each } = steps;
  const lent = new WeakMap<Pulled, Loan>();
  return {
    pull: async (step, ids, microBatch = 0) => {
      const loan = borrow(pulls);
      const states: number[] = [];
      const pulled = await lists.with(ids, async (parts) => {
        const assembly = openAssembly(layout, parts, loan);
        const whole = { step, microBatch, loan, assembly };
        await each(parts, async (at, part, shard) => {
          states[shard] = await readPart(steps, { ...whole, at, part, shard, anew: false });
        });
        return { ...assembly.whole(), ...(bounds && { states }) };
      });
      lent.set(pulled, loan);
      return pulled;
    },
    release: (pulled) => {
      lent.get(pulled)?.giveBack();
      lent.delete(pulled);
    },
  };
}

/** Reads a shard's part, of which what the learner has need not come. @returns the oldest state that any of it was read at. */
async function readPart(steps: Steps, pull: PartPull): Promise<number> {
  const { cached, bounds, traffic } = steps;
  const { step, at, assembly, shard } = pull;
  at.updates?.begin(step);
  const { state, life, found } = await pullPart(steps, pull);
  at.updates?.pulled(step, life);
  if (found === undefined) return state;
  if (isTooOld(state, found, bounds?.staleness)) {
    if (state < found.newest) cached[shard]?.forget();
    return readPart(steps, { ...pull, anew: true });
  }
  found.tables.forEach(({ positions, rows }, t) => {
    assembly.place(shard, t, positions, rows);
    traffic.spare("cache", rows.byteLength);
  });
  return Math.min(state, found.oldest);
}

/** Asks the process that keeps the shard now; what was read from another one counts no more. */
async function pullPart(steps: Steps, pull: PartPull): Promise<PartRead> {
  const { tables, cached, traffic, timeoutMs } = steps;
  const { step, loan, assembly, at, part, shard, anew } = pull;
  const own = cached[shard];
  const ask = async ({ route, number: life, signal }: Life, list: object): Promise<PartRead> => {
    own?.enter(life);
    const found = anew ? undefined : own?.find(part, loan.memory);
    const request = { ...requestOf(steps, pull, found), ...list, life };
    const call = { timeoutMs, signal, room: loan.bytes };
    let state = 0;
    await route.at(step).pull(request, call, ({ rows, dense, step: of }) => {
      state = Number(of);
      const came = tables.map((table, t) =>
        fromWire(table, rows[t] ?? new Uint8Array(), loan.memory),
      );
      const wanted = found?.tables.map((table) => table.wanted);
      assembly.take(shard, { rows: came, dense: float32Of(dense) }, wanted);
      own?.heard(state);
      own?.keep(part, found, came, state);
      count(steps, "pulled", rows, dense);
    });
    for (const { held } of found?.tables ?? []) traffic.add("pulled", held.byteLength);
    return { state, life, found };
  };
  return naming(part, traffic, "pulled", tables.length, (list) =>
    at.link.call((life) => ask(life, list)),
  );
}

function requestOf(
  { fence, tables, layout }: Steps,
  { step, microBatch, shard }: PartPull,
  found: FoundRows | undefined,
) {
  return {
    ...{ fence, step: BigInt(step), microBatch, dense: layout.dense[shard]?.length !== 0 },
    tables: tables.map((table, t) => ({
      ...{ table: table.name, format: formatOf(table) },
      ...(found && { held: found.tables[t]?.held ?? new Uint8Array() }),
    })),
  };
}

/**
 * Whether rows that were found are from before the bound, so that what is computed on them would be refused, or of a state that the shard
 * has returned from. Then all are read anew.
 */
function isTooOld(state: number, found: FoundRows, staleness = 0): boolean {
  return state < found.newest || state - found.oldest > staleness;
}
