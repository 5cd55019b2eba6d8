import { HeddleError } from "@heddle/base";

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
