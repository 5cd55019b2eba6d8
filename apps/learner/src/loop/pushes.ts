import { isHeddleError } from "@heddle/base";

/** Pushes of bounded mode on their way. */
export interface Pushes<T> {
  /** Whether none is on its way, and none that was refused waits to be fetched. */
  readonly idle: boolean;
  sent(update: T, push: Promise<void>): void;
  /**
   * Those that were refused as too stale since it was last asked.
   *
   * @throws what a push failed with for another reason.
   */
  refused(): readonly T[];
  /** Resolves when one more is answered. */
  next(): Promise<void>;
}

export function openPushes<T>(): Pushes<T> {
  const onTheirWay = new Set<Promise<void>>();
  let refused: T[] = [];
  let failed: { readonly cause: unknown } | undefined;
  return {
    get idle() {
      return onTheirWay.size === 0 && refused.length === 0 && failed === undefined;
    },
    sent: (update, push) => {
      const answered = push
        .catch((error: unknown) => {
          if (isHeddleError(error, "STALE_PUSH")) refused.push(update);
          else failed ??= { cause: error };
        })
        .then(() => {
          onTheirWay.delete(answered);
        });
      onTheirWay.add(answered);
    },
    refused: () => {
      if (failed !== undefined) throw failed.cause;
      const these = refused;
      refused = [];
      return these;
    },
    next: async () => {
      if (refused.length === 0 && failed === undefined) await Promise.race(onTheirWay);
    },
  };
}
