import { type Clock, isHeddleError, orAborted } from "@heddle/base";

/** How far a replica is behind its log. */
export interface Lag {
  /** What was in the log longer ago than this is applied here, in milliseconds. It grows while the log is away: nobody knows then. */
  ms(): number;
  /** Rejects with what is no failure of log or replica, a bug; else resolves when its signal has aborted. */
  readonly watching: Promise<void>;
}

/**
 * Watches the lag: waits, again and again, until all that the log held when it was asked is applied. The times of records would not do:
 * where nobody writes the newest one is old, and nothing is missing. Counts from its beginning, for how old the rows were then nobody noted.
 * While a replica is steadily behind by some time, it says up to twice that: of what came since it asked it knows nothing.
 *
 * @param everyMs between two questions.
 */
export function watchLag(
  caughtUp: () => Promise<void>,
  clock: Clock,
  everyMs: number,
  signal: AbortSignal,
): Lag {
  let heldMs = clock.monotonicMs();
  const look = async (): Promise<void> => {
    const askedMs = clock.monotonicMs();
    try {
      await orAborted(caughtUp(), signal);
      heldMs = askedMs;
    } catch (error) {
      // The log is away, or refuses: the lag grows.
      if (!signal.aborted && !isHeddleError(error)) throw error;
    }
  };
  const watch = async (): Promise<void> => {
    while (!signal.aborted) {
      await look();
      await clock.sleep(everyMs, signal).catch(() => undefined);
    }
  };
  return { ms: () => clock.monotonicMs() - heldMs, watching: watch() };
}
