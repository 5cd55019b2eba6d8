import type { Clock } from "@heddle/base";

/** Lets at most so many callers a second pass, evenly spaced. */
export type Pace = (signal: AbortSignal) => Promise<void>;

/** @param perSecond 0 for any number. */
export function openPace(perSecond: number, clock: Clock): Pace {
  let nextMs = -Infinity;
  return async (signal) => {
    if (perSecond === 0) return;
    const nowMs = clock.monotonicMs();
    const atMs = Math.max(nowMs, nextMs);
    nextMs = atMs + 1_000 / perSecond;
    if (atMs > nowMs) await clock.sleep(atMs - nowMs, signal);
  };
}
