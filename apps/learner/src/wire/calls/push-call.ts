import { isHeddleError, present } from "@heddle/base";
import { bytesOf } from "@heddle/tensor";
import type { CachedRows } from "./cached-rows.ts";
import { borrow } from "../shard/loan.ts";
import { naming } from "./naming.ts";
import { formatOf, toWire } from "../shard/row-format.ts";
import type { Part } from "../shard/shard-layout.ts";
import { count, type LinkedShard, type Steps } from "./steps.ts";
import type { Wire } from "../wire.ts";

/** `Wire.push`. */
export function pushCall(steps: Steps): Wire["push"] {
  const { fence, tables, layout, cached, pushes, traffic, timeoutMs, lists, each } = steps;
  return async (step, ids, gradients, cut, notes = {}) => {
    const { microBatch = 0, lossSum = 0, learnerCpuSeconds = 0, states = [] } = notes;
    const told = { cut, microBatch, lossSum, learnerCpuSeconds };
    const pushPart = async ({ link, updates }: LinkedShard, part: Part, shard: number) => {
      const loan = borrow(pushes);
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
      await hearing(cached[shard], () =>
        naming(part, traffic, "pushed", tables.length, (list) =>
          link.call(({ route, signal }) =>
            route.at(step).push({ ...list, ...values }, { timeoutMs, signal }),
          ),
        ),
      );
      updates?.acknowledged(step, { lossSum, learnerCpuSeconds });
      const rows = sent.map((table) => table.gradients);
      count(steps, "pushed", rows, values.dense);
      // A call that failed may still be on its way out; then its memory is not used again.
      loan.giveBack();
    };
    await lists.with(ids, (parts) => each(parts, pushPart), true);
  };
}

/** Tells of the state that a push was answered with, or refused at: rows from before the bound are not computed on a second time. */
async function hearing(cached: CachedRows | undefined, push: () => Promise<bigint>): Promise<void> {
  cached?.pushing();
  try {
    const state = Number(await push());
    cached?.heard(state);
  } catch (error) {
    if (isHeddleError(error, "STALE_PUSH")) cached?.heard(Number(error.metadata["applied"] ?? 0));
    throw error;
  } finally {
    cached?.pushed();
  }
}
