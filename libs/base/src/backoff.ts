/** How long to wait before a try that follows a failed one. */
export interface Backoff {
  readonly initialMs: number;
  readonly maxMs: number;
  readonly multiplier: number;
  /** Share of the delay that is random, 0 to 1. */
  readonly jitter: number;
}

/** For calls to other processes. */
export const defaultBackoff: Backoff = { initialMs: 100, maxMs: 5_000, multiplier: 2, jitter: 0.2 };

/** The delay before try `attempt` (1 is the first retry), in milliseconds. `random` is uniform in [0, 1). */
export function backoffMs(backoff: Backoff, attempt: number, random: number): number {
  const full = Math.min(backoff.maxMs, backoff.initialMs * backoff.multiplier ** (attempt - 1));
  return full * (1 - backoff.jitter * random);
}
