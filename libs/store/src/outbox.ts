import { isHeddleError } from "@heddle/base";
import type { Aggregate, OutboxEntry } from "./aggregate.ts";
import type { Documents, Stored } from "./port.ts";

/** What the relay sees of a collection of aggregates. */
export interface Outbox {
  readonly noun: string;
  /** Ids of aggregates with entries to relay. */
  pending(limit: number): Promise<readonly string[]>;
  entries(id: string): Promise<readonly OutboxEntry[]>;
  /** Drops the entries up to that revision, which the log holds now. */
  trim(id: string, revision: number): Promise<void>;
  /** Calls `wake` after each write of this process that left something pending, until the signal aborts. */
  onPending(wake: () => void, signal: AbortSignal): void;
}

export interface Bell {
  ring(): void;
  listen(wake: () => void, signal: AbortSignal): void;
}

export function startBell(): Bell {
  const listeners = new Set<() => void>();
  return {
    ring: () => listeners.forEach((wake) => wake()),
    listen: (wake, signal) => {
      if (signal.aborted) return;
      listeners.add(wake);
      signal.addEventListener("abort", () => listeners.delete(wake), { once: true });
    },
  };
}

/** @param inTurn runs the changes of one id one after another, so that a trim races none of this process. */
export function openOutbox<State>(
  noun: string,
  documents: Documents<Aggregate<State>>,
  bell: Bell,
  inTurn: <T>(id: string, work: () => Promise<T>) => Promise<T>,
): Outbox {
  /** What the relay read last, which it is to trim next, if this process wrote none since; a write by its revision tells of the others. */
  let last: Stored<Aggregate<State>> | undefined;
  bell.listen(() => (last = undefined), new AbortController().signal);
  const entries = async (id: string): Promise<readonly OutboxEntry[]> => {
    last = await documents.get(id);
    return last?.value.outbox ?? [];
  };
  const trimNow = async (id: string, revision: number): Promise<void> => {
    for (;;) {
      const stored = last?.key === id ? last : await documents.get(id);
      last = undefined;
      if (stored === undefined) return;
      const outbox = stored.value.outbox.filter((entry) => entry.revision > revision);
      if (outbox.length === stored.value.outbox.length && outbox.length > 0) return;
      try {
        const next = { ...stored.value, outbox };
        await documents.put(id, next, stored.revision, { pending: outbox.length > 0 });
        return;
      } catch (error) {
        // A change came between, or hides whether this one was made: it brought its own progress, so trying again ends.
        const hidden = isHeddleError(error, "WRITE_OUTCOME_UNKNOWN");
        if (!hidden && !isHeddleError(error, "REVISION_CONFLICT")) throw error;
      }
    }
  };
  return {
    noun,
    pending: (limit) => documents.pending(limit),
    entries,
    trim: (id, revision) => inTurn(id, () => trimNow(id, revision)),
    onPending: bell.listen,
  };
}
