import { type InTurnByKey, isHeddleError } from "@heddle/base";
import type { Aggregate, OutboxEntry } from "./aggregate.ts";
import type { Documents, Stored } from "./port.ts";

/** What the relay sees of a collection of aggregates. */
export interface Outbox {
  readonly noun: string;
  /** Ids of aggregates with entries to relay. */
  pending(limit: number): Promise<readonly string[]>;
  read(id: string): Promise<OutboxRead>;
  /** Calls `wake` after each write of this process that left something pending, until the signal aborts. */
  onPending(wake: () => void, signal: AbortSignal): void;
}

/** An aggregate's outbox as it was when it was read. */
export interface OutboxRead {
  readonly entries: readonly OutboxEntry[];
  /** Drops these entries, which the log holds now. */
  trim(): Promise<void>;
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
  inTurn: InTurnByKey,
): Outbox {
  /** @param read as the relay has it: a write by its revision tells whether it is still so. */
  const trim = async (
    id: string,
    revision: number,
    read: Stored<Aggregate<State>> | undefined,
  ): Promise<void> => {
    for (let stored = read; stored !== undefined; stored = await documents.get(id)) {
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
    read: async (id) => {
      const stored = await documents.get(id);
      const entries = stored?.value.outbox ?? [];
      const revision = entries.at(-1)?.revision ?? 0;
      return { entries, trim: () => inTurn(id, () => trim(id, revision, stored)) };
    },
    onPending: bell.listen,
  };
}
