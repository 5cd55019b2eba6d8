import type { MessageInitShape } from "@bufbuild/protobuf";
import { isHeddleError, present } from "@heddle/base";
import { openPool, type Pool } from "@heddle/lane";
import type { PullRequestSchema, PullResponse } from "@heddle/proto/parameter-server";
import { bytesOf, float32Of } from "@heddle/tensor";
import type { OwnUpdates } from "./own-updates.ts";
import { formatOf, fromWire, sparedBytes, toWire } from "./row-format.ts";
import { type Memory, openAssembly, type Part, type ShardLayout } from "./shard-layout.ts";
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

/** Pull and push, split over the shards and put together again. */
export function stepCalls(
  { fence: token, tables, bounds }: RunDeclaration,
  layout: ShardLayout,
  timeoutMs: number,
  shards: readonly LinkedShard[],
  traffic: Traffic,
): Pick<Wire, "pull" | "release" | "push"> {
  const fence = BigInt(token);
  const pool = openPool({ heldBytesMax });
  const lent = new WeakMap<Pulled, Loan>();
  const partsOf = splitOnce(layout);
  const wanted = tables.map((table) => ({ table: table.name, format: formatOf(table) }));
  const each = <T>(ids: BigUint64Array, run: (at: LinkedShard, part: Part, shard: number) => T) => {
    const parts = partsOf(ids);
    return Promise.all(shards.map((at, n) => run(at, present(parts[n], "a part"), n)));
  };

  return {
    pull: async (step, ids, microBatch = 0) => {
      const loan = borrow(pool);
      const states: number[] = [];
      const assembly = openAssembly(layout, partsOf(ids), loan.memory);
      await each(ids, (at, part, shard) => {
        const dense = layout.dense[shard]?.length !== 0;
        const request = { fence, step: BigInt(step), microBatch, tables: wanted, dense };
        const read = ({ rows, dense: values, step: state }: PullResponse): void => {
          states[shard] = Number(state);
          const came = rows.map((own, t) => fromWire(tables[t] ?? {}, own, loan.memory));
          assembly.take(shard, { rows: came, dense: float32Of(values) });
          count(traffic, "pulled", tables, rows, values);
        };
        return naming(part, traffic, "pulled", tables.length, (list) =>
          pullOf(at, step, timeoutMs, { ...request, ...list }, read),
        );
      });
      const pulled = { ...assembly.whole(), ...(bounds && { states }) };
      lent.set(pulled, loan);
      return pulled;
    },
    release: (pulled) => {
      lent.get(pulled)?.giveBack();
      lent.delete(pulled);
    },
    push: async (step, ids, gradients, cut, notes = {}) => {
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
    },
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

/** A step pulls and pushes the same ids: they are split once, and each shard hears them once. */
function splitOnce(layout: ShardLayout): (ids: BigUint64Array) => readonly Part[] {
  const split = new WeakMap<BigUint64Array, readonly Part[]>();
  return (ids) => {
    const known = split.get(ids) ?? layout.split(ids);
    split.set(ids, known);
    return known;
  };
}

/** Memory of the pool that is given back as a whole. */
interface Loan {
  readonly memory: Memory;
  giveBack(): void;
}

function borrow(pool: Pool): Loan {
  const taken: Uint8Array<ArrayBuffer>[] = [];
  return {
    memory: (values) => {
      const bytes = pool.take(values * 4);
      taken.push(bytes);
      return float32Of(bytes);
    },
    giveBack: () => {
      for (const bytes of taken.splice(0)) pool.give(bytes);
    },
  };
}

/** How a call speaks of its ids. */
interface List {
  readonly keyList: bigint;
  readonly ids?: Uint8Array;
}

/** Names the ids of a call where the shard has them already, and sends them where it has not (any more). */
async function naming(
  part: Part,
  traffic: Traffic,
  direction: "pulled" | "pushed",
  tables: number,
  send: (list: List) => Promise<void>,
): Promise<void> {
  const { name, ids } = part;
  const spared = ids.byteLength * tables;
  if (part.known) {
    try {
      await send({ keyList: name });
      traffic.add("spared", spared);
      return;
    } catch (error) {
      if (!isHeddleError(error, "UNKNOWN_KEY_LIST")) throw error;
    }
  }
  await send({ keyList: name, ids: bytesOf(ids) });
  part.known = name !== 0n;
  traffic.add(direction, ids.byteLength);
  traffic.add("spared", spared - ids.byteLength);
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
  traffic.add("spared", sparedBytes(tables, rows));
}
