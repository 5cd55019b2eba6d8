import { type Clock, isHeddleError, messageOf } from "@heddle/base";
import type { Logger } from "@heddle/telemetry";

/** Something elsewhere without which a server has no answers, e.g. the store of its documents. */
export interface Need {
  readonly name: string;
  /** Rejects with the reason why it cannot be used now. */
  check(): Promise<void>;
}

interface NeedDeps {
  readonly clock: Clock;
  readonly log: Logger;
}

/** How long what was well is not asked, and what was not, in milliseconds. */
const [wellMs, illMs] = [5_000, 1_000];

/**
 * Asks what a server needs for as long as it runs, and tells the server's health: with the reasons why it cannot
 * serve, or with nothing when all is well.
 */
export function watchNeeds(
  needs: readonly Need[],
  { clock, log }: NeedDeps,
  tell: (problem: string | undefined) => void,
): AsyncDisposable {
  const closing = new AbortController();
  let told: string | undefined | null = null;
  const look = async (): Promise<boolean> => {
    const problems = (await Promise.all(needs.map(problemOf))).filter((each) => each !== undefined);
    if (closing.signal.aborted) return true;
    const problem = problems.length === 0 ? undefined : problems.join("; ");
    if (problem !== told) {
      if (problem !== undefined) log.warn({ problem }, "not serving");
      else if (told !== null) log.info({}, "serving again");
      told = problem;
      tell(problem);
    }
    return problem === undefined;
  };
  const watching = (async () => {
    while (!closing.signal.aborted) {
      const well = await look();
      await clock.sleep(well ? wellMs : illMs, closing.signal).catch(() => undefined);
    }
  })();
  return {
    [Symbol.asyncDispose]: async () => {
      closing.abort();
      await watching;
    },
  };
}

async function problemOf({ name, check }: Need): Promise<string | undefined> {
  try {
    await check();
    return undefined;
  } catch (error) {
    const reason = isHeddleError(error) ? error.reason : "NOT_USABLE";
    return `${name}: ${reason}: ${messageOf(error)}`;
  }
}
