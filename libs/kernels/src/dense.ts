import { checkGradients, checkLength } from "./gradients.ts";
import type { Optimizer } from "./port.ts";
import { slotsOfRow } from "./table-optimizer.ts";
import { initialSlot, updateOf } from "./update.ts";

/** A dense parameter with its optimiser slots. */
export interface DenseVector {
  /** The values now; they change with every push. */
  readonly values: Float32Array;
  /** Optimiser slots, as a row of that many values has them. */
  readonly slots: Float32Array;
  /**
   * Applies a gradient.
   *
   * @throws {HeddleError} INVALID_ARGUMENT NOT_FINITE, WRONG_SIZE; then nothing of it is applied.
   */
  push(gradient: Float32Array): void;
  /** @throws {HeddleError} INVALID_ARGUMENT WRONG_SIZE. */
  restore(values: Float32Array, slots: Float32Array): void;
}

/** A dense parameter that starts from a copy of `initial`. */
export function createDense(initial: Float32Array, optimizer: Optimizer): DenseVector {
  const values = Float32Array.from(initial);
  const slots = new Float32Array(slotsOfRow(optimizer, initial.length));
  slots.fill(initialSlot(optimizer));
  const update = updateOf(optimizer);
  return {
    values,
    slots,
    push: (gradient) => {
      checkLength(gradient.length, values.length, "a dense gradient");
      checkGradients(gradient, "a dense parameter");
      update(values, 0, slots, 0, gradient, 0, values.length);
    },
    restore: (savedValues, savedSlots) => {
      checkLength(savedValues.length, values.length, "a saved dense parameter");
      checkLength(savedSlots.length, slots.length, "a saved dense parameter's slots");
      values.set(savedValues);
      slots.set(savedSlots);
    },
  };
}
