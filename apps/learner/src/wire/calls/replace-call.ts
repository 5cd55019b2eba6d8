import { present } from "@heddle/base";
import { failpoint } from "@heddle/failpoint";
import { restoreRequest, type CutCalls } from "./cut-calls.ts";
import { closeClients, type Newcomer } from "../shard/shard-link.ts";
import type { LinkedShard } from "./steps.ts";
import type { CutPlace, NewPlace, Regained, Wire } from "../wire.ts";
import type { Route, ShardClients } from "../shard/route.ts";

/** How a learner comes to a shard's process. */
export interface Connecting {
  open(shard: number, address: string): ShardClients;
  /** @returns the step that the shard is at. */
  configure(clients: ShardClients, signal: AbortSignal): Promise<number>;
  routeOf(clients: ShardClients): Promise<Route>;
}

/** Who comes back, and what it has to say. */
export interface Rejoining {
  readonly fence: bigint;
  readonly learner: number;
  readonly learners: number;
  readonly shards: readonly LinkedShard[];
  readonly cuts: Pick<CutCalls, "copied" | "lossSum">;
}

/** `replace` of a wire, and its end. */
export interface Replacing extends AsyncDisposable {
  readonly replace: NonNullable<Wire["replace"]>;
}

/**
 * `replace` of the wire. The newcomer serves nobody before all learners have said what they will still push to it, and none of them says so
 * before it has turned away from the lost process: so no push is acknowledged by the one and awaited by the other.
 */
export function openReplacing(
  rejoining: Rejoining,
  connecting: Connecting,
  timeoutMs: number,
  signal: AbortSignal,
): Replacing {
  const { fence, learner, shards } = rejoining;
  /** By shard: ends what is under way for a process that is lost before it was there. */
  const comings = new Map<number, AbortController>();

  const come = async (
    { shard, address, life }: NewPlace,
    cutOf: (() => Promise<CutPlace>) | undefined,
    own: AbortSignal,
  ): Promise<{ readonly newcomer: Newcomer; readonly regained: Regained }> => {
    const clients = connecting.open(shard, address);
    try {
      const call = { timeoutMs, signal: own };
      let snapshotStep = await connecting.configure(clients, own);
      if (cutOf !== undefined) {
        const cut = await cutOf();
        snapshotStep = cut.step;
        failpoint("learner.restore.before-call");
        await clients.traced.restore(restoreRequest(fence, cut), call);
        failpoint("learner.restore.after-call");
      }
      const told = toldOf(rejoining, shard);
      const { lostUpdates } = await clients.traced.rejoin({ ...told, life }, call);
      const route = await connecting.routeOf(clients);
      const regained = { snapshotStep, lostUpdates: Number(lostUpdates) };
      return { newcomer: { number: life, clients, route }, regained };
    } catch (error) {
      await closeClients(clients);
      throw error;
    }
  };
  const replace: Replacing["replace"] = async (place, cutOf) => {
    const { link } = present(shards[place.shard], `shard ${place.shard}`);
    comings.get(place.shard)?.abort();
    const coming = new AbortController();
    comings.set(place.shard, coming);
    link.lose();
    try {
      const own = AbortSignal.any([signal, coming.signal]);
      const { newcomer, regained } = await come(place, learner === 0 ? cutOf : undefined, own);
      if (coming.signal.aborted) {
        await newcomer.route[Symbol.asyncDispose]();
        await closeClients(newcomer.clients);
        return undefined;
      }
      link.enter(newcomer);
      return regained;
    } catch (error) {
      // Another process is on its way to the place.
      if (coming.signal.aborted) return undefined;
      link.fail(error);
      throw error;
    }
  };
  const all: Promise<unknown>[] = [];
  return {
    replace: (...call) => {
      const replaced = replace(...call);
      all.push(replaced.catch(() => undefined));
      return replaced;
    },
    [Symbol.asyncDispose]: async () => {
      for (const coming of comings.values()) coming.abort();
      await Promise.all(all);
    },
  };
}

/** What this learner will still push to the shard. */
function toldOf({ fence, learner, learners, shards, cuts }: Rejoining, shard: number) {
  const { updates } = present(shards[shard], `shard ${shard}`);
  const { begun, open, lossSum, learnerCpuSeconds } = present(updates, "updates").told();
  return {
    ...{ fence, learner, learners, learnerCpuSeconds },
    ...{ begun: BigInt(begun), open: open.map(BigInt) },
    ...(learner === 0
      ? { copied: BigInt(cuts.copied), lossSum: lossSum + cuts.lossSum }
      : { copied: 0n, lossSum }),
  };
}
