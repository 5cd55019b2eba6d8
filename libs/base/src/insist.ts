import { type Backoff, backoffMs } from "./backoff.ts";
import type { Clock } from "./clock.ts";
import { type HeddleError, isHeddleError } from "./error.ts";

/** What a repetition needs. */
export interface InsistDeps {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly backoff: Backoff;
}

const passingCodes: ReadonlySet<string> = new Set(["RESOURCE_EXHAUSTED", "UNAVAILABLE"]);

/**
 * Repeats a write that a full, busy or absent place refuses, for whoever writes cannot go on without it. It is tried once in any case.
 *
 * @param told hears of each refusal, and of undefined when the write was taken after one.
 * @throws what is no refusal that passes; the signal's reason when it aborts and the write is still refused.
 */
export async function insist(
  write: () => Promise<void>,
  { clock, random, backoff }: InsistDeps,
  signal: AbortSignal,
  told: (refusal: HeddleError | undefined) => void = () => undefined,
): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await write();
      if (tries > 1) told(undefined);
      return;
    } catch (error) {
      if (!isHeddleError(error) || !passingCodes.has(error.code)) throw error;
      told(error);
    }
    signal.throwIfAborted();
    await clock.sleep(backoffMs(backoff, tries, random()), signal);
  }
}
