import { type Backoff, backoffMs, type Clock } from "@heddle/base";
import { storeBusy } from "../errors.ts";
import { answerMs } from "./concerns.ts";
import { failureOf } from "./errors.ts";

/** In milliseconds, but for the last. */
export interface MongoLimits {
  /** How long a command waits for a server that takes writes. */
  readonly selectMs: number;
  /** How long a command is repeated while its server changes roles or its connections break. */
  readonly repeatMs: number;
  /** How long a connection may be silent within a command. */
  readonly silenceMs: number;
  /** Commands that are under way or wait; more are refused. */
  readonly commandsMax: number;
}

export const defaultLimits: MongoLimits = {
  selectMs: 5_000,
  repeatMs: 10_000,
  silenceMs: 2 * answerMs,
  commandsMax: 10_000,
};
const repeatBackoff: Backoff = { initialMs: 10, maxMs: 500, multiplier: 2, jitter: 1 };

/**
 * Runs one command, and repeats it while its server is away for a moment. Every error that leaves and is no bug is a HeddleError.
 *
 * @param place what the command is about, for messages.
 * @param act gets whether an earlier try may have been done without our hearing of it.
 * @throws {HeddleError} RESOURCE_EXHAUSTED STORE_BUSY when `commandsMax` are under way.
 * @throws {HeddleError} UNAVAILABLE STORE_UNAVAILABLE, and what `refusals.ts` lists.
 */
export type Run = <T>(place: string, act: (maybeDone: boolean) => Promise<T>) => Promise<T>;

interface RunDeps {
  /** Names the store. */
  readonly place: string;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly limits: MongoLimits;
}

/** @param before runs before each try; what it throws counts as the try's. */
export function startRuns(deps: RunDeps, before: () => Promise<void>): Run {
  const { place, clock, random, limits } = deps;
  let underWay = 0;

  const repeat: Run = async (where, act) => {
    const began = clock.monotonicMs();
    let maybeDone = false;
    for (let tries = 1; ; tries++) {
      try {
        await before();
        return await act(maybeDone);
      } catch (error) {
        const failure = failureOf(error, where);
        if (failure === undefined) throw error;
        maybeDone ||= failure.unheard;
        const late = clock.monotonicMs() - began >= limits.repeatMs;
        if (!failure.passing || late || searchedInVain(error)) throw failure.error;
      }
      // The wait is at most `repeatBackoff.maxMs`, so it needs no signal of the caller's.
      await clock.sleep(backoffMs(repeatBackoff, tries, random()), new AbortController().signal);
    }
  };

  // What the last search in vain was told. From then on one command at a time searches, and the others need not wait.
  let away: unknown;
  let searching = false;
  return async (where, act) => {
    if (underWay >= limits.commandsMax) throw storeBusy(place, limits.commandsMax);
    const known = away === undefined ? undefined : failureOf(away, where);
    if (known !== undefined && searching) throw known.error;
    if (known !== undefined) searching = true;
    underWay += 1;
    try {
      const done = await repeat(where, act);
      away = undefined;
      return done;
    } catch (error) {
      const { cause } = error as { cause?: unknown };
      away = searchedInVain(cause) ? cause : undefined;
      throw error;
    } finally {
      underWay -= 1;
      if (known !== undefined) searching = false;
    }
  };
}

/** The driver waited for a server as long as a command may. */
function searchedInVain(error: unknown): boolean {
  return error instanceof Error && error.name === "MongoServerSelectionError";
}
