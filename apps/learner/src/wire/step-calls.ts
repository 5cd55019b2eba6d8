import type { MessageInitShape } from "@bufbuild/protobuf";
import { present } from "@heddle/base";
import { openPool, type Pool } from "@heddle/lane";
import type { PullRequestSchema, PullResponse } from "@heddle/proto/parameter-server";
import { bytesOf, float32Of } from "@heddle/tensor";
import { formatOf, fromWire, sparedBytes, toWire } from "./row-format.ts";
import { borrow, type Loan } from "./loan.ts";
import { naming, splitOnce } from "./naming.ts";
import type { OwnUpdates } from "./own-updates.ts";
import { openAssembly, type Part, type ShardLayout } from "./shard-layout.ts";
import type { ShardLink } from "./shard-link.ts";
import type { Traffic } from "./traffic.ts";
import type { Pulled, RunDeclaration, Wire } from "./wire.ts";

/** Memory of rows and gradients that is kept for later steps. */
const heldBytesMax = 64 << 20;

/** A shard, and what this learner knows of its updates on it, in bounded mode. */
export interface LinkedShard {
  readonly link: ShardLink;
  readonly updates?: OwnUpdates;
}

/** What the calls of steps share. */
interface Steps {
  readonly fence: bigint;
  readonly tables: RunDeclaration["tables"];
  /** Whether updates overlap within bounds. */
  readonly bounded: boolean;
  readonly layout: ShardLayout;
  readonly pool: Pool;
  readonly traffic: Traffic;
  readonly timeoutMs: number;
  partsOf(ids: BigUint64Array): readonly Part[];
  /** Runs a call of each shard. */
  each(
    ids: BigUint64Array,
    run: (at: LinkedShard, part: Part, shard: number) => Promise<void>,
  ): Promise<unknown>;
}

/** Pull and push, split over the shards and put together again. */
export function stepCalls(
  { fence, tables, bounds }: RunDeclaration,
  layout: ShardLayout,
  timeoutMs: number,
  shards: readonly LinkedShard[],
  traffic: Traffic,
): Pick<Wire, "pull" | "release" | "push"> {
  const partsOf = splitOnce(layout);
  const steps: Steps = {
    ...{ fence: BigInt(fence), tables, bounded: bounds !== undefined, layout, traffic, timeoutMs },
    ...{ pool: openPool({ heldBytesMax }), partsOf },
    each: (ids, run) => {
      const parts = partsOf(ids);
      return Promise.all(shards.map((at, n) => run(at, present(parts[n], "a part"), n)));
    },
  };
  return { ...pullCalls(steps), push: pushCall(steps) };
}

function pullCalls(steps: Steps): Pick<Wire, "pull" | "release"> {
  const { fence, tables, bounded, layout, pool, traffic, timeoutMs, partsOf, each } = steps;
  const lent = new WeakMap<Pulled, Loan>();
  const wanted = tables.map((table) => ({ table: table.name, format: formatOf(table) }));
  return {
    pull: async (step, ids, microBatch = 0) => {
      const loan = borrow(pool);
      const states: number[] = [];
      const assembly = openAssembly(layout, partsOf(ids), loan.memory);
      await each(ids, (at, part, shard) => {
        const dense = layout.dense[shard]?.length !== 0;
        const request = { fence, step: BigInt(step), tables: wanted, microBatch, dense };
        const read = ({ rows, dense: values, step: state }: PullResponse): void => {
          states[shard] = Number(state);
          const came = tables.map((table, t) =>
            fromWire(table, rows[t] ?? new Uint8Array(), loan.memory),
          );
          assembly.take(shard, { rows: came, dense: float32Of(values) });
          count(traffic, "pulled", tables, rows, values);
        };
        return naming(part, traffic, "pulled", tables.length, (list) =>
          pullOf(at, step, timeoutMs, { ...request, ...list }, read),
        );
      });
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
  const { fence, tables, layout, pool, traffic, timeoutMs, each } = steps;
  return async (step, ids, gradients, cut, notes = {}) => {
    const { microBatch = 0, lossSum = 0, learnerCpuSeconds = 0, states = [] } = notes;
    const told = { cut, microBatch, lossSum, learnerCpuSeconds };
    await each(ids, async ({ link, updates }, part, shard) => {
      const loan = borrow(pool);
      const own = layout.gradientsOf(shard, part.positions, gradients, loan.memory);
      const sent = tables.map((table, t) => ({
        table: table.name,
        format: formatOf(table),
        gradients: toWire(table, present(own.rows[t], "a table's gradients")),
      }));
      const oldestState = BigInt(states[shard] ?? 0);
      const life = updates?.lifeOf(step) ?? 0;
      const place = { fence, step: BigInt(step), oldestState, life };
      const values = { tables: sent, dense: bytesOf(own.dense), ...told, ...place };
      await naming(part, traffic, "pushed", tables.length, (list) =>
        link.call(({ route, signal }) =>
          route.at(step).push({ ...list, ...values }, { timeoutMs, signal }),
        ),
      );
      updates?.acknowledged(step, { lossSum, learnerCpuSeconds });
      const rows = sent.map((table) => table.gradients);
      count(traffic, "pushed", tables, rows, values.dense);
      // A call that failed may still be on its way out; then its memory is not used again.
      loan.giveBack();
    });
  };
}

/** Pulls from the process that keeps the shard now, and remembers which that was. */
async function pullOf(
  { link, updates }: LinkedShard,
  step: number,
  timeoutMs: number,
  request: MessageInitShape<typeof PullRequestSchema>,
  read: (answer: PullResponse) => void,
): Promise<void> {
  updates?.begin(step);
  const life = await link.call(async ({ route, number, signal }) => {
    await route.at(step).pull({ ...request, life: number }, { timeoutMs, signal }, read);
    return number;
  });
  updates?.pulled(step, life);
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
