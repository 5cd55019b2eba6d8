import { HeddleError } from "@heddle/base";
import type { Optimizer } from "./port.ts";

/**
 * Moves `count` consecutive values by their gradients.
 *
 * All arithmetic is float32, rounded after every operation, so that a WebAssembly kernel gives the same bits.
 */
export type Update = (
  values: Float32Array,
  slots: Float32Array,
  at: number,
  gradients: Float32Array,
  gradientAt: number,
  count: number,
) => void;

/** Optimiser slots kept for each value. */
export function slotsPerValue(optimizer: Optimizer): 0 | 1 {
  return optimizer.kind === "adagrad" ? 1 : 0;
}

/** What a new slot holds. */
export function initialSlot(optimizer: Optimizer): number {
  return optimizer.kind === "adagrad" ? optimizer.initialAccumulator : 0;
}

/**
 * The update rule of an optimiser. Adagrad: accumulator += g²; value −= rate × g / (√accumulator + ε), with ε
 * outside the root.
 *
 * @source TensorFlow, ResourceApplyAdagradV2 (Keras 3 and TensorFlow.js put ε under the root instead: with
 * ε = 1e-7 and an initial accumulator of 0.1 the two differ by less than one part in a million).
 */
export function updateOf(optimizer: Optimizer): Update {
  const rate = Math.fround(optimizer.rate);
  if (optimizer.kind === "sgd") {
    return (values, _slots, at, gradients, gradientAt, count) => {
      for (let i = 0; i < count; i++) {
        const g = gradients[gradientAt + i] as number;
        values[at + i] = Math.fround((values[at + i] as number) - Math.fround(rate * g));
      }
    };
  }
  const epsilon = Math.fround(optimizer.epsilon);
  return (values, slots, at, gradients, gradientAt, count) => {
    for (let i = 0; i < count; i++) {
      const g = gradients[gradientAt + i] as number;
      const accumulator = Math.fround((slots[at + i] as number) + Math.fround(g * g));
      slots[at + i] = accumulator;
      const root = Math.fround(Math.fround(Math.sqrt(accumulator)) + epsilon);
      const step = Math.fround(Math.fround(rate * g) / root);
      values[at + i] = Math.fround((values[at + i] as number) - step);
    }
  };
}

/** Gradients beyond this would overflow float32 when squared: a run that sends them has diverged. */
export const gradientMax = 1e18;

/**
 * Refuses gradients that must not reach a parameter.
 *
 * @throws {HeddleError} INVALID_ARGUMENT NOT_FINITE for NaN, an infinity, or more than 1e18 in size.
 */
export function checkGradients(gradients: Float32Array, what: string): void {
  for (let i = 0; i < gradients.length; i++) {
    if (Math.abs(gradients[i] as number) <= gradientMax) continue;
    throw notFinite(i, gradients[i] as number, what);
  }
}

export function notFinite(position: number, gradient: number, what: string): HeddleError {
  return new HeddleError(
    "INVALID_ARGUMENT",
    "NOT_FINITE",
    `gradient ${position} of ${what} is ${gradient}, expected a finite number of at most ${gradientMax} in size; nothing was applied: lower the learning rate or look for bad feature values`,
    { metadata: { position: String(position) } },
  );
}

/**
 * Refuses an array of another length than the rows need.
 *
 * @throws {HeddleError} INVALID_ARGUMENT WRONG_SIZE.
 */
export function checkLength(actual: number, expected: number, what: string): void {
  if (actual === expected) return;
  throw new HeddleError(
    "INVALID_ARGUMENT",
    "WRONG_SIZE",
    `${what} has ${actual} values, expected ${expected}: sender and table disagree about rows or dimension`,
  );
}
