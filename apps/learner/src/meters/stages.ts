import { assert, type Clock } from "@heddle/base";

/** Where a learner's wall time goes. */
export const stageNames = [
  "start",
  "read",
  "transform",
  "pull",
  "compute",
  "push",
  "snapshot",
  "other",
] as const;
export type Stage = (typeof stageNames)[number];
type Shares = Readonly<Record<Stage, number>>;

/** What other threads have done so far, in wall milliseconds; absent where this thread does it. */
export interface ThreadTimes {
  readonly computedMs?: () => number;
  readonly transformedMs?: () => number;
}

/**
 * Partitions the wall time of the thread that computes. While it computes, that is its stage. Else it waits for what
 * the training loop waits for, or for a piece of work that holds the loop's thread. What no stage claims is `start`
 * before the first step and `other` from then on.
 */
export interface Stages {
  /** The loop waits for `work`: its time is the stage's. Only the loop calls this, one at a time. */
  wait<T>(stage: Stage, work: Promise<T>): Promise<T>;
  /** Work on this thread, from anywhere: its time is taken from the stage that is on. */
  work<T>(stage: Stage, work: () => T): T;
  /** The first step begins. */
  started(): void;
  /** Share of the time since the start by stage; they sum to 1. */
  shares(): Shares;
  /** Seconds since the start. */
  seconds(): number;
}

/** The parts are measured by several threads' clocks, and may miss the whole by so much of it. */
const errorMax = 0.02;

export function startStages(clock: Clock, threads: ThreadTimes = {}): Stages {
  const spent = new Map<Stage, number>(stageNames.map((stage) => [stage, 0]));
  // Owed: what was told late, computed in time that a stage before took for its own; taken from those that come.
  const since = { ms: clock.monotonicMs(), computed: 0, transformed: 0, owed: 0 };
  const startMs = since.ms;
  let unclaimed: Stage = "start";
  let on: Stage = "start";

  const add = (stage: Stage, ms: number): void => {
    spent.set(stage, (spent.get(stage) ?? 0) + ms);
  };
  /** What the stage that is on takes of the time since the last turn. */
  const settle = (): void => {
    const now = {
      ms: clock.monotonicMs(),
      computed: threads.computedMs?.() ?? 0,
      transformed: threads.transformedMs?.() ?? 0,
    };
    const computed = now.computed - since.computed;
    const left = now.ms - since.ms - computed - since.owed;
    const rest = Math.max(0, left);
    add("compute", computed);
    if (on === "read") {
      const transformed = Math.min(rest, now.transformed - since.transformed);
      add("transform", transformed);
      add("read", rest - transformed);
    } else if (on === "compute" && threads.computedMs !== undefined) {
      // Asked, but not at work: the question or the answer is under way.
      add("other", rest);
    } else {
      add(on, rest);
    }
    Object.assign(since, now, { owed: rest - left });
  };
  const turnTo = (stage: Stage): Stage => {
    settle();
    const before = on;
    on = stage;
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
    started: () => {
      unclaimed = "other";
      turnTo(unclaimed);
    },
    shares: () => {
      settle();
      const totalMs = since.ms - startMs;
      const share = (stage: Stage): number =>
        totalMs === 0 ? Number(stage === unclaimed) : (spent.get(stage) ?? 0) / totalMs;
      const shares = Object.fromEntries(stageNames.map((s) => [s, share(s)])) as Shares;
      const sum = Object.values(shares).reduce((a, b) => a + b, 0);
      assert(Math.abs(sum - 1) <= errorMax, `the shares of the stages sum to ${sum}`);
      return shares;
    },
    seconds: () => (clock.monotonicMs() - startMs) / 1_000,
  };
}

/** From this share of the time on a thread that computes waits for nothing that matters. */
const saturated = 0.9;

/**
 * The stage that holds training up: the one that the computing thread waits for most, or `compute` when it hardly waits.
 * The time before the first step does not count, for more data do not make it longer.
 */
export function bottleneckOf(shares: Readonly<Record<string, number>>): Stage {
  const training = 1 - (shares["start"] ?? 0);
  const computing = shares["compute"] ?? 0;
  if (computing >= saturated * training) return "compute";
  // Nobody can do anything about `other`: it is what no stage claims.
  const idle = new Set<Stage>(["start", "compute", "other"]);
  const waits = stageNames.filter((stage) => !idle.has(stage));
  return waits.reduce((most, stage) => ((shares[stage] ?? 0) > (shares[most] ?? 0) ? stage : most));
}
