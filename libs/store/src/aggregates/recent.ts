import type { Aggregate } from "./aggregate.ts";
import type { Step } from "./change.ts";
import type { Stored } from "../port.ts";

/** Those that change again and again are few, and each may have 1 MiB. */
const documentsMax = 32;

/**
 * The documents of a collection that this process wrote or read last. Each is a guess at what is stored, for other processes write, too.
 *
 * @source `GuaranteedUpdate` of Kubernetes' `storage/etcd3`: an update is tried on the object that is cached, and on the one that is
 * stored when its compare-and-set says that the first was old.
 */
export interface Recent<T> {
  get(key: string): Stored<T> | undefined;
  /** Unless a newer one is kept. */
  keep(stored: Stored<T>): void;
  /** A write on it failed. */
  forget(key: string): void;
}

export function openRecent<T>(): Recent<T> {
  /** By key, the one that was kept longest ago first. */
  const documents = new Map<string, Stored<T>>();
  return {
    get: (key) => documents.get(key),
    keep: (stored) => {
      if ((documents.get(stored.key)?.revision ?? 0) > stored.revision) return;
      documents.delete(stored.key);
      documents.set(stored.key, stored);
      const [oldest] = documents.keys();
      if (documents.size > documentsMax && oldest !== undefined) documents.delete(oldest);
    },
    forget: (key) => void documents.delete(key),
  };
}

/**
 * The step from a guess, where it leads to a write: the compare-and-set proves the guess. Nothing else may be answered from one, neither
 * a refusal nor that there is nothing to do: what is stored may say otherwise.
 */
export function guessedStep<State>(
  guess: Aggregate<State>,
  step: (current: Aggregate<State>) => Step<State>,
): Step<State> | undefined {
  try {
    const taken = step(guess);
    return taken.next === guess ? undefined : taken;
  } catch {
    // The step from what is stored throws it again, if it is still true.
    return undefined;
  }
}
