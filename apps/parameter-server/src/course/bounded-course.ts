import type { Course } from "./course.ts";
import type { StepPart } from "./step-part.ts";
import { openUpdateOrder, type UpdateBounds } from "./update-order.ts";

export interface BoundedCourseOptions {
  readonly bounds: UpdateBounds;
  /**
   * Applies an update.
   *
   * @param state the number of the shard's state from then on.
   * @throws {HeddleError} and has applied nothing.
   */
  readonly apply: (parts: readonly StepPart[], state: number) => void;
  readonly onChange: () => void;
  /** Told of each push applied. */
  readonly onStaleness: (staleness: number) => void;
}

/** Updates as they come, within the bounds of `UpdateOrder`. */
export function openBoundedCourse(options: BoundedCourseOptions): Course {
  const { bounds, apply, onChange, onStaleness } = options;
  const order = openUpdateOrder(bounds);
  return {
    get applied() {
      return order.applied;
    },
    get overlap() {
      return order.overlap;
    },
    pullTurn: order.pullTurn,
    served: order.served,
    pushTurn: ({ step, state }) => order.pushTurn(step, state),
    take: async ({ step, state }, part) => {
      apply([part], order.applied + 1);
      onStaleness(order.applied - state);
      order.pushed(step, state);
      onChange();
    },
    refusedStale: order.refused,
    cutTurn: order.cutTurn,
    copied: (step, hold) => {
      order.copied(step, hold);
      onChange();
    },
    returnTo: order.returnTo,
    resume: order.resume,
    refuseAll: () => undefined,
  };
}
