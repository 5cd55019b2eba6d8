import { present } from "@heddle/base";
import { openPool, openSharedPool } from "@heddle/lane";
import { cachedRowBytesMax, openCachedRows } from "./cached-rows.ts";
import { openKeyLists } from "./key-lists.ts";
import { pullCalls } from "./pull-calls.ts";
import { pushCall } from "./push-call.ts";
import type { ShardLayout } from "../shard/shard-layout.ts";
import type { LinkedShard, Steps } from "./steps.ts";
import type { RunDeclaration, Wire } from "../wire.ts";

/** Memory of rows and gradients that is kept for later steps. */
const heldBytesMax = 64 << 20;

/** A wire's calls of steps. */
export interface StepCalls extends Pick<Wire, "pull" | "release" | "push"> {
  /** The shards return to another state: what was read before counts no more. */
  forget(): void;
}

export interface StepCallsOptions extends Pick<Steps, "timeoutMs" | "traffic"> {
  /** Whether other threads read what is pulled. */
  readonly sharesMemory: boolean;
  /** Whether nothing carries the calls. */
  readonly inProcess: boolean;
}

/** Pull and push, split over the shards and put together again. */
export function stepCalls(
  { fence, tables, bounds }: RunDeclaration,
  layout: ShardLayout,
  shards: readonly LinkedShard[],
  { timeoutMs, traffic, sharesMemory, inProcess }: StepCallsOptions,
): StepCalls {
  const { rowAge } = bounds ?? {};
  const cached =
    rowAge === undefined
      ? []
      : shards.map(() => openCachedRows(tables, rowAge, cachedRowBytesMax / shards.length));
  const steps: Steps = {
    ...{ fence: BigInt(fence), tables, bounds, layout, cached, traffic, timeoutMs },
    pulls: sharesMemory ? openSharedPool({ heldBytesMax }) : openPool({ heldBytesMax }),
    pushes: openPool({ heldBytesMax }),
    lists: openKeyLists(layout, inProcess ? undefined : openPool({ heldBytesMax })),
    each: (parts, run) =>
      Promise.all(shards.map((at, n) => run(at, present(parts[n], "a part"), n))),
  };
  return {
    ...pullCalls(steps),
    push: pushCall(steps),
    forget: () => {
      for (const rows of cached) rows.forget();
    },
  };
}
