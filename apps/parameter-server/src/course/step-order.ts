import { assert } from "@heddle/base";

/** What may be done with a call now. */
type Turn =
  /** Answer a pull; keep a push until its step is applied. */
  | "now"
  /** Its state will come: look again after the next change. */
  | "wait"
  /** A push of a step that was applied before: acknowledge it, apply nothing. */
  | "repeated"
  /** Out of order: its state is gone, or further ahead than a learner of this lag can be. */
  | "refuse";

/**
 * The order of `exact` mode, as one pure object per shard.
 *
 * A step is so many micro-batches, each pulled and pushed for itself, by whichever learner has it. Steps are applied whole and in
 * order. A pull for step s reads the state after max(s − 1 − lag, last cut) steps: at that state and at no other. So
 * a step is applied only when all of its pushes are here and every pull that must see the state before it was
 * served. Nothing here depends on when calls arrive, or on who makes them, which is why the bytes of a run do not either.
 */
export interface StepOrder {
  /** Steps applied. */
  readonly applied: number;
  pullTurn(step: number): Turn;
  /** @param cut whether a cut follows the step; all pushes of a step say the same. */
  pushTurn(step: number, cut: boolean): Turn;
  served(step: number, microBatch: number): void;
  /** The push is here. */
  held(step: number, microBatch: number, cut: boolean): void;
  /** It is here no more: its caller gave up, or it was refused. */
  dropped(step: number, microBatch: number): void;
  /** Whether the next step may be applied. */
  readonly ready: boolean;
  /** The next step was applied. */
  advanced(): void;
  /** Returns to a cut: all steps up to it are applied, none of those after it. */
  returnTo(step: number): void;
}

/** What is known of a step not yet applied. */
interface Ahead {
  readonly served: Set<number>;
  readonly held: Set<number>;
  cut: boolean;
}

/** @param microBatches of a step; at least 1. */
export function openStepOrder(lag: number, microBatches = 1): StepOrder {
  let applied = 0;
  let lastCut = 0;
  /** Steps that calls have reached: never more than `aheadMax` + 1. */
  const steps = new Map<number, Ahead>();
  /** A learner has at most this many steps unacknowledged, so nothing lies further ahead. */
  const aheadMax = lag + 1;

  const stateFor = (step: number): number => Math.max(step - 1 - lag, lastCut);
  const ahead = (step: number): Ahead => {
    const known = steps.get(step);
    if (known !== undefined) return known;
    const fresh = { served: new Set<number>(), held: new Set<number>(), cut: false };
    steps.set(step, fresh);
    return fresh;
  };
  const ready = (): boolean => {
    const next = steps.get(applied + 1);
    if (next?.held.size !== microBatches) return false;
    // Pulls for the steps up to this one read the state that goes, or an earlier one.
    const lastReader = next.cut ? applied + 1 : applied + 1 + lag;
    for (let step = applied + 1; step <= lastReader; step++) {
      if (steps.get(step)?.served.size !== microBatches) return false;
    }
    return true;
  };
  return {
    get applied() {
      return applied;
    },
    get ready() {
      return ready();
    },
    pullTurn: (step) => {
      const state = stateFor(step);
      if (step <= lastCut || state < applied || state > applied + aheadMax) return "refuse";
      return state === applied ? "now" : "wait";
    },
    pushTurn: (step, cut) => {
      if (step <= applied) return "repeated";
      if (step > applied + aheadMax) return "refuse";
      const known = steps.get(step);
      return known !== undefined && known.held.size > 0 && known.cut !== cut ? "refuse" : "now";
    },
    served: (step, microBatch) => {
      ahead(step).served.add(microBatch);
    },
    held: (step, microBatch, cut) => {
      const known = ahead(step);
      known.held.add(microBatch);
      known.cut = cut;
    },
    dropped: (step, microBatch) => {
      steps.get(step)?.held.delete(microBatch);
    },
    advanced: () => {
      assert(
        ready(),
        "a step is applied when it is whole, and what must be read before it was read",
      );
      applied += 1;
      if (steps.get(applied)?.cut === true) lastCut = applied;
      steps.delete(applied);
    },
    returnTo: (step) => {
      applied = step;
      lastCut = step;
      steps.clear();
    },
  };
}
