import { backoffMs, defaultBackoff, HeddleError, messageOf, systemClock } from "@heddle/base";

const never = new AbortController().signal;
/** With less time left a try says but that its time is over, and not what is wrong. */
const tryMsMin = 100;

/**
 * Tries a call until it does not fail with UNAVAILABLE, with backoff. It gives up, with the last failure, when the next wait would leave no
 * time for a try.
 *
 * @param name of the call, for messages.
 * @param untilMs wall time of the deadline, milliseconds since the epoch.
 * @throws {HeddleError} CANCELLED RPC_CANCELLED as soon as the caller gives up between two tries; its cause is the last failure.
 */
export async function retried<T>(
  name: string,
  once: () => Promise<T>,
  untilMs: number,
  signal = never,
): Promise<T> {
  const { now, sleep } = systemClock;
  for (let attempt = 1; ; attempt++) {
    try {
      return await once();
    } catch (error) {
      const unavailable = error instanceof HeddleError && error.code === "UNAVAILABLE";
      const waitMs = backoffMs(defaultBackoff, attempt, Math.random());
      if (!unavailable || now() + waitMs + tryMsMin >= untilMs) throw error;
      await sleep(waitMs, signal).catch(() => {
        throw givenUp(name, error);
      });
    }
  }
}

function givenUp(name: string, cause: HeddleError): HeddleError {
  const message = `${name} was cancelled while it waited to be tried again: ${messageOf(cause)}`;
  return new HeddleError("CANCELLED", "RPC_CANCELLED", message, { cause });
}
