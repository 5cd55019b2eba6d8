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

export function openOutbox<State>(
  noun: string,
  documents: Documents<Aggregate<State>>,
  bell: Bell,
): Outbox {
  /** What the relay read last, which it is to trim next: a write by its revision tells whether it is still so. */
  let last: Stored<Aggregate<State>> | undefined;
  const entries = async (id: string): Promise<readonly OutboxEntry[]> => {
    last = await documents.get(id);
    return last?.value.outbox ?? [];
  };
  const trim = async (id: string, revision: number): Promise<void> => {
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
        // A change came between: it brought its own progress, so trying again ends.
        if (!isHeddleError(error, "REVISION_CONFLICT")) throw error;
      }
    }
  };
  return {
    noun,
    pending: (limit) => documents.pending(limit),
    entries,
    trim,
    onPending: bell.listen,
  };
}
