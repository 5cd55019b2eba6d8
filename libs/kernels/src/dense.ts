import { checkGradients, checkLength, initialSlot, slotsPerValue, updateOf } from "./optimizer.ts";
import type { Optimizer } from "./port.ts";

/** A dense parameter with its optimiser slots. */
export interface DenseVector {
  /** The values now; they change with every push. */
  readonly values: Float32Array;
  /** Optimiser slots, shape [values × slots per value]. */
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
  const slots = new Float32Array(initial.length * slotsPerValue(optimizer));
  slots.fill(initialSlot(optimizer));
  const update = updateOf(optimizer);
  return {
    values,
    slots,
    push: (gradient) => {
      checkLength(gradient.length, values.length, "a dense gradient");
      checkGradients(gradient, "a dense parameter");
      update(values, slots, 0, gradient, 0, values.length);
    },
    restore: (savedValues, savedSlots) => {
      checkLength(savedValues.length, values.length, "a saved dense parameter");
      checkLength(savedSlots.length, slots.length, "a saved dense parameter's slots");
      values.set(savedValues);
      slots.set(savedSlots);
    },
  };
}
