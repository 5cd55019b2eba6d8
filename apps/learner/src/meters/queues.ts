import type { Clock } from "@heddle/base";
import type { Network } from "../network.ts";
import type { Wire } from "../wire/wire.ts";

/** What waits or is under way: batches cut and not asked for, steps asked and not computed, pulls and pushes. */
export const queueNames = ["batch", "step", "pull", "push"] as const;
type QueueName = (typeof queueNames)[number];

/** How many things are in a queue. */
export interface Queue {
  add(change: 1 | -1): void;
  now(): number;
  depth(): QueueDepth;
}

interface QueueDepth {
  /** Over the time since the first thing came. */
  readonly mean: number;
  readonly max: number;
}

export type Queues = Readonly<Record<QueueName, Queue>>;

export function openQueues(clock: Clock): Queues {
  return Object.fromEntries(queueNames.map((name) => [name, openQueue(clock)])) as Queues;
}

export function openQueue(clock: Clock): Queue {
  let [items, max, area] = [0, 0, 0];
  let startMs: number | undefined;
  let sinceMs = 0;
  const settle = (): number => {
    const nowMs = clock.monotonicMs();
    startMs ??= sinceMs = nowMs;
    area += items * (nowMs - sinceMs);
    sinceMs = nowMs;
    return nowMs - startMs;
  };
  return {
    add: (change) => {
      settle();
      items += change;
      max = Math.max(max, items);
    },
    now: () => items,
    depth: () => {
      if (startMs === undefined) return { mean: 0, max };
      const elapsedMs = settle();
      return { mean: elapsedMs === 0 ? items : area / elapsedMs, max };
    },
  };
}

/** The wire, with its pulls and pushes counted. */
export function countCalls(wire: Wire, { pull, push }: Queues): Wire {
  return {
    ...wire,
    pull: (...call) => during(pull, wire.pull(...call)),
    push: (...call) => during(push, wire.push(...call)),
  };
}

/** The network, with its steps counted. */
export function countSteps(network: Network, { step }: Queues): Network {
  return { ...network, step: (...call) => during(step, network.step(...call)) };
}

async function during<T>(queue: Queue, work: Promise<T>): Promise<T> {
  queue.add(1);
  try {
    return await work;
  } finally {
    queue.add(-1);
  }
}
