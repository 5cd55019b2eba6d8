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
export type UpdateTurn = "now" | "wait" | "refuse" | "repeated" | "stale";

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
  /** The copy is taken: updates after it may begin. */
  copied(step: number): void;
  returnTo(step: number): void;
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
  let applied = 0;
  /** All updates up to this are applied; beyond it, those of `done`, which are fewer than `inFlight`. */
  let settled = 0;
  const done = new Set<number>();
  const underWay = new Set<number>();
  /** Updates up to the cut after this one may be pulled. */
  let copiedCut = 0;
  let pushes = new Array<number>(staleness + 1).fill(0);
  let inFlightMax = 0;
  let refused = 0;

  const isDone = (update: number): boolean => update <= settled || done.has(update);
  const nextCut = (): number => (Math.floor(copiedCut / snapshotSteps) + 1) * snapshotSteps;
  return {
    get applied() {
      return applied;
    },
    get overlap() {
      return { pushes, inFlight: underWay.size, inFlightMax, refused };
    },
    pullTurn: (update) => {
      if (update < 1) return "refuse";
      // Reading again harms nobody: another shard may have refused what this one has applied.
      if (isDone(update) || underWay.has(update)) return "now";
      return update <= settled + inFlight && update <= nextCut() ? "now" : "wait";
    },
    pushTurn: (update, state) => {
      if (isDone(update)) return "repeated";
      if (!underWay.has(update) || state > applied) return "refuse";
      return applied - state > staleness ? "stale" : "now";
    },
    served: (update) => {
      if (isDone(update)) return;
      underWay.add(update);
      inFlightMax = Math.max(inFlightMax, underWay.size);
      assert(underWay.size <= inFlight, "no more updates are under way than the bound allows");
    },
    pushed: (update, state) => {
      const stale = applied - state;
      assert(stale >= 0 && stale <= staleness, "no push is staler than the bound allows");
      pushes[stale] = (pushes[stale] ?? 0) + 1;
      underWay.delete(update);
      done.add(update);
      applied += 1;
      while (done.delete(settled + 1)) settled += 1;
    },
    refused: () => {
      refused += 1;
    },
    cutTurn: (step) => {
      if (step < applied || step > nextCut()) return "refuse";
      return settled === step ? "now" : "wait";
    },
    copied: (step) => {
      copiedCut = step;
    },
    returnTo: (step) => {
      [applied, settled, copiedCut] = [step, step, step];
      done.clear();
      underWay.clear();
      pushes = new Array<number>(staleness + 1).fill(0);
      [inFlightMax, refused] = [0, 0];
    },
  };
}
