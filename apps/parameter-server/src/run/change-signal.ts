/** Lets calls wait for the next change of the shard, each for as long as its caller does. */
export interface ChangeSignal {
  /** Resolves at the next change; rejects with the signal's reason when it aborts before. */
  next(signal: AbortSignal): Promise<void>;
  /** Wakes all who wait. */
  changed(): void;
}

export function openChangeSignal(): ChangeSignal {
  let change = Promise.withResolvers<void>();
  return {
    next: async (signal) => {
      signal.throwIfAborted();
      const aborted = Promise.withResolvers<never>();
      const onAbort = (): void => aborted.reject(signal.reason as Error);
      signal.addEventListener("abort", onAbort, { once: true });
      try {
        await Promise.race([change.promise, aborted.promise]);
      } finally {
        signal.removeEventListener("abort", onAbort);
      }
    },
    changed: () => {
      change.resolve();
      change = Promise.withResolvers();
    },
  };
}
