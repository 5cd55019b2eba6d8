import type { Course } from "./course.ts";
import { openHeldSteps } from "./held-steps.ts";
import type { StepPart } from "./step-part.ts";
import { openStepOrder } from "./step-order.ts";

export interface ExactCourseOptions {
  readonly lag: number;
  readonly microBatches: number;
  /** @throws {HeddleError} what `apply` would refuse in a part, whatever the others of its step hold. */
  readonly check: (part: StepPart) => void;
  /**
   * Applies the micro-batches of a step, given in their order.
   *
   * @throws {HeddleError} and has applied nothing.
   */
  readonly apply: (parts: readonly StepPart[], step: number) => void;
  readonly onChange: () => void;
}

/** Steps one after the other, as `StepOrder` has it; pushes are held until their step may be applied. */
export function openExactCourse(options: ExactCourseOptions): Course {
  const { lag, microBatches, check, apply, onChange } = options;
  const order = openStepOrder(lag, microBatches);
  const held = openHeldSteps(order.dropped);

  const advance = (): void => {
    while (order.ready) {
      const step = order.applied + 1;
      try {
        apply(held.parts(step), step);
        order.advanced();
        held.applied(step);
      } catch (error) {
        held.refused(step, error);
      }
      onChange();
    }
  };
  return {
    get applied() {
      return order.applied;
    },
    overlap: undefined,
    pullTurn: order.pullTurn,
    served: (step, microBatch) => {
      order.served(step, microBatch);
      advance();
    },
    pushTurn: ({ step, cut }) => order.pushTurn(step, cut),
    take: ({ step, cut }, part, signal) => {
      // Of several parts each answers for itself; one alone is asked when it is applied.
      if (microBatches > 1) check(part);
      const applied = held.hold(step, part, signal);
      order.held(step, part.microBatch, cut);
      advance();
      return applied;
    },
    refusedStale: () => undefined,
    cutTurn: (step) => (step === order.applied ? "now" : "refuse"),
    copied: () => undefined,
    returnTo: order.returnTo,
    refuseAll: held.refuseAll,
  };
}
