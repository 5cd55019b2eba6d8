import { assert } from "@heddle/base";

/** What may be done with a call now. */
export type Turn =
  /** Answer it now. */
  | "now"
  /** Its state will come: look again after the next change. */
  | "wait"
  /** A push that was applied before: acknowledge it, apply nothing. */
  | "repeated"
  /** Out of order: its state is gone, or further ahead than a learner of this lag can be. */
  | "refuse";

/**
 * The order of `exact` mode, as one pure object per shard.
 *
 * Pushes are applied exactly in the order of their steps. A pull for step s reads the state after
 * max(s − 1 − lag, last cut) pushes: at that state and at no other. So a push is applied only when every pull
 * that must see the state before it was served. Nothing here depends on when calls arrive, which is why
 * the bytes of a run do not either.
 */
export interface StepOrder {
  /** Pushes applied. */
  readonly applied: number;
  pullTurn(step: number): Turn;
  /** @param cut whether a cut follows the push. */
  pushTurn(step: number, cut: boolean): Turn;
  served(step: number): void;
  pushed(step: number, cut: boolean): void;
  /** Returns to a cut: all steps up to it are applied, none of those after it. */
  returnTo(step: number): void;
}

export function openStepOrder(lag: number): StepOrder {
  let applied = 0;
  let lastCut = 0;
  let lastServed = 0;
  /** A learner has at most this many pushes unacknowledged, so nothing lies further ahead. */
  const aheadMax = lag + 1;

  const stateFor = (step: number): number => Math.max(step - 1 - lag, lastCut);
  return {
    get applied() {
      return applied;
    },
    pullTurn: (step) => {
      const state = stateFor(step);
      if (step <= lastCut || state < applied || state > applied + aheadMax) return "refuse";
      return state === applied ? "now" : "wait";
    },
    pushTurn: (step, cut) => {
      if (step <= applied) return "repeated";
      if (step > applied + aheadMax) return "refuse";
      const mustBeServed = cut ? step : step + lag;
      return step === applied + 1 && lastServed >= mustBeServed ? "now" : "wait";
    },
    served: (step) => {
      lastServed = Math.max(lastServed, step);
    },
    pushed: (step, cut) => {
      assert(step === applied + 1, "pushes are applied in order");
      applied = step;
      if (cut) lastCut = step;
    },
    returnTo: (step) => {
      applied = step;
      lastCut = step;
      lastServed = step;
    },
  };
}
