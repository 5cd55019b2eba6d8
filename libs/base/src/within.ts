import type { Clock } from "./clock.ts";

/**
 * Waits for an event, at most `ms` milliseconds, or until the signal aborts. Rejects as the event does.
 *
 * @returns whether it came.
 */
export async function within(
  ms: number,
  event: Promise<unknown>,
  clock: Clock,
  signal?: AbortSignal,
): Promise<boolean> {
  const over = new AbortController();
  const ending = signal === undefined ? over.signal : AbortSignal.any([signal, over.signal]);
  const late = clock.sleep(ms, ending).then(
    () => false,
    (error: unknown) => {
      if (!ending.aborted) throw error;
      return false;
    },
  );
  try {
    return await Promise.race([event.then(() => true), late]);
  } finally {
    over.abort();
  }
}
