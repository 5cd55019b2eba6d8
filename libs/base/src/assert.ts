/** A broken promise of our own code: never caught, it stops the process. */
export class AssertionFailed extends Error {
  override readonly name = "AssertionFailed";
}

/** States what must be true. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionFailed(message);
}

/** The value, which must be there. */
export function present<T>(value: T | undefined | null, what: string): T {
  if (value === undefined || value === null) throw new AssertionFailed(`${what} is missing`);
  return value;
}
