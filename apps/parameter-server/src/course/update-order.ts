import { assert } from "@heddle/base";

/** The bounds of `bounded` mode. */
export interface UpdateBounds {
  /** Pushes that may be applied between an update's pull and its push. */
  readonly staleness: number;
  /** Updates under way at a time; at least 1. */
  readonly inFlight: number;
  /** Updates between cuts. */
  readonly snapshotSteps: number;
}

/** What may be done with a call now. */
type UpdateTurn = "now" | "wait" | "refuse" | "repeated" | "stale";

/**
 * The order of `bounded` mode, as one pure object per shard.
 *
 * Updates have numbers, 1, 2, …, given out before anything runs. An update is under way from its pull to its push. It may be pulled
 * when its number is less than `inFlight` above the lowest that is not applied: so never more than that many are under way, and
 * shards that each decide by themselves cannot block one another, for all of them admit the lowest. Pushes are applied
 * as they come, unless more than `staleness` others were applied since the state they were computed from. Between a cut and
 * the copy of it, no update after the cut is pulled.
 */
export interface UpdateOrder {
  /** Updates applied: the number of the shard's state. */
  readonly applied: number;
  readonly overlap: Overlap;
  pullTurn(update: number): Exclude<UpdateTurn, "repeated" | "stale">;
  /** @param state the oldest that the update read. */
  pushTurn(update: number, state: number): Exclude<UpdateTurn, "wait">;
  served(update: number): void;
  pushed(update: number, state: number): void;
  /** A push was too stale; its update stays under way. */
  refused(): void;
  /** Whether the copy of a cut may be taken. */
  cutTurn(step: number): Exclude<UpdateTurn, "repeated" | "stale">;
  /** The copy is taken: updates after it may begin, unless they are held. */
  copied(step: number, hold?: boolean): void;
  returnTo(step: number): void;
  /**
   * After `returnTo`, on a shard that took the place of a lost one: updates that nobody will push any more count as applied.
   *
   * @returns how many those are.
   */
  resume(from: Resumed): number;
}

/** What the gang knows of a shard that is lost. */
export interface Resumed {
  /** The last cut that was taken, or may have been: updates up to the one after it may begin. */
  readonly copied: number;
  /** Updates that the lost shard had acknowledged, beyond the cut that is restored; ascending. */
  readonly done: readonly number[];
}

/** What overlapped since the run last returned to a cut. */
export interface Overlap {
  /** Pushes applied by staleness, from 0 to the bound. */
  readonly pushes: readonly number[];
  readonly inFlight: number;
  readonly inFlightMax: number;
  readonly refused: number;
}

export function openUpdateOrder(bounds: UpdateBounds): UpdateOrder {
  const { staleness, inFlight, snapshotSteps } = bounds;
  const done = openDone();
  const underWay = new Set<number>();
  /** Updates up to the cut after this one may be pulled. */
  let copiedCut = 0;
  let counts = noOverlap(staleness);
  const nextCut = (): number => (Math.floor(copiedCut / snapshotSteps) + 1) * snapshotSteps;
  return {
    get applied() {
      return done.count;
    },
    get overlap() {
      return { ...counts, inFlight: underWay.size };
    },
    pullTurn: (update) => {
      if (update < 1) return "refuse";
      // Reading again harms nobody: another shard may have refused what this one has applied.
      if (done.has(update) || underWay.has(update)) return "now";
      return update <= done.settled + inFlight && update <= nextCut() ? "now" : "wait";
    },
    pushTurn: (update, state) => {
      if (done.has(update)) return "repeated";
      if (!underWay.has(update) || state > done.count) return "refuse";
      return done.count - state > staleness ? "stale" : "now";
    },
    served: (update) => {
      if (done.has(update)) return;
      underWay.add(update);
      counts.inFlightMax = Math.max(counts.inFlightMax, underWay.size);
      assert(underWay.size <= inFlight, "no more updates are under way than the bound allows");
    },
    pushed: (update, state) => {
      const stale = done.count - state;
      assert(stale >= 0 && stale <= staleness, "no push is staler than the bound allows");
      counts.pushes[stale] = (counts.pushes[stale] ?? 0) + 1;
      underWay.delete(update);
      done.add(update);
    },
    refused: () => void (counts.refused += 1),
    cutTurn: (step) => {
      if (step < done.count || step > nextCut()) return "refuse";
      return done.settled === step ? "now" : "wait";
    },
    copied: (step, hold = false) => {
      if (!hold) copiedCut = step;
    },
    returnTo: (step) => {
      copiedCut = step;
      done.returnTo(step);
      underWay.clear();
      counts = noOverlap(staleness);
    },
    resume: ({ copied, done: acknowledged }) => {
      const restored = done.count;
      copiedCut = Math.max(copied, restored);
      for (const update of acknowledged) {
        assert(
          !done.has(update) && update <= nextCut(),
          "an update that the lost shard may have had",
        );
        done.add(update);
      }
      return done.count - restored;
    },
  };
}

/** What is counted of the overlap, from nothing on. */
const noOverlap = (staleness: number) => ({
  pushes: new Array<number>(staleness + 1).fill(0),
  inFlightMax: 0,
  refused: 0,
});

/** Updates that are applied: all up to one, and some beyond it, fewer than may be in flight. */
function openDone() {
  let [count, settled] = [0, 0];
  const beyond = new Set<number>();
  return {
    get count() {
      return count;
    },
    /** The one up to which all are. */
    get settled() {
      return settled;
    },
    has: (update: number): boolean => update <= settled || beyond.has(update),
    add: (update: number): void => {
      count += 1;
      beyond.add(update);
      while (beyond.delete(settled + 1)) settled += 1;
    },
    returnTo: (update: number): void => {
      [count, settled] = [update, update];
      beyond.clear();
    },
  };
}
