import type { Clock } from "@heddle/base";

/** Where a learner's wall time goes. */
export const stageNames = [
  "read",
  "transform",
  "pull",
  "compute",
  "push",
  "snapshot",
  "other",
] as const;
export type Stage = (typeof stageNames)[number];

/**
 * Partitions the learner's wall time. At each moment one stage is on: the one that the training loop waits
 * for, or a piece of work that holds the thread meanwhile. What no stage claims is `other`.
 */
export interface Stages {
  /** The loop waits for `work`: its time is the stage's. Only the loop calls this, one at a time. */
  wait<T>(stage: Stage, work: Promise<T>): Promise<T>;
  /** Work on this thread, from anywhere: its time is taken from the stage that is on. */
  work<T>(stage: Stage, work: () => T): T;
  /** Share of the time since the start by stage; they sum to 1. */
  shares(): Readonly<Record<Stage, number>>;
  /** Seconds since the start. */
  seconds(): number;
}

export function startStages(clock: Clock): Stages {
  const spent = new Map<Stage, number>(stageNames.map((stage) => [stage, 0]));
  const startMs = clock.monotonicMs();
  let on: Stage = "other";
  let sinceMs = startMs;

  const turnTo = (stage: Stage): Stage => {
    const before = on;
    const nowMs = clock.monotonicMs();
    spent.set(before, (spent.get(before) ?? 0) + nowMs - sinceMs);
    on = stage;
    sinceMs = nowMs;
    return before;
  };
  return {
    wait: async (stage, work) => {
      const before = turnTo(stage);
      try {
        return await work;
      } finally {
        turnTo(before);
      }
    },
    work: (stage, work) => {
      const before = turnTo(stage);
      try {
        return work();
      } finally {
        turnTo(before);
      }
    },
    shares: () => {
      turnTo(on);
      const totalMs = sinceMs - startMs;
      const share = (stage: Stage): number =>
        totalMs === 0 ? Number(stage === "other") : (spent.get(stage) ?? 0) / totalMs;
      return Object.fromEntries(stageNames.map((s) => [s, share(s)])) as Record<Stage, number>;
    },
    seconds: () => (clock.monotonicMs() - startMs) / 1_000,
  };
}
