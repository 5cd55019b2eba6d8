import { type InTurnByKey, isHeddleError } from "@heddle/base";
import type { Aggregate, OutboxEntry } from "./aggregate.ts";
import type { Documents, Stored } from "../port.ts";
import type { Recent } from "./recent.ts";

/** What the relay sees of a collection of aggregates. */
export interface Outbox {
  readonly noun: string;
  /** Ids of aggregates with entries to relay. */
  pending(limit: number): Promise<readonly string[]>;
  read(id: string): Promise<OutboxRead>;
  /** Calls `wake` with the aggregate's id after each write of this process that left something pending, until the signal aborts. */
  onPending(wake: (id: string) => void, signal: AbortSignal): void;
}

/** An aggregate's outbox as it was when it was read. */
interface OutboxRead {
  readonly entries: readonly OutboxEntry[];
  /** Drops these entries, which the log holds now. */
  trim(): Promise<void>;
}

export interface Bell {
  ring(id: string): void;
  listen(wake: (id: string) => void, signal: AbortSignal): void;
}

export function startBell(): Bell {
  const listeners = new Set<(id: string) => void>();
  return {
    ring: (id) => listeners.forEach((wake) => wake(id)),
    listen: (wake, signal) => {
      if (signal.aborted) return;
      listeners.add(wake);
      signal.addEventListener("abort", () => listeners.delete(wake), { once: true });
    },
  };
}

/** Replaces an aggregate whose stored document has this revision. */
type Put<State> = (id: string, next: Aggregate<State>, expected: number) => Promise<void>;

/** What is written is marked where it leaves something to relay, and rings; it is the guess of the next change, and what failed is not. */
export function openPut<State>(
  documents: Documents<Aggregate<State>>,
  recent: Recent<Aggregate<State>>,
  bell: Bell,
): Put<State> {
  return async (id, next, expected) => {
    const pending = next.outbox.length > 0;
    try {
      const revision = await documents.put(id, next, expected, { pending });
      recent.keep({ key: id, value: next, revision });
    } catch (error) {
      recent.forget(id);
      throw error;
    }
    if (pending) bell.ring(id);
  };
}

interface OutboxDeps<State> {
  readonly bell: Bell;
  /** Runs the changes of one id one after another, so that a trim races none of this process. */
  readonly inTurn: InTurnByKey;
  readonly recent: Recent<Aggregate<State>>;
  readonly store: Put<State>;
}

export function openOutbox<State>(
  noun: string,
  documents: Documents<Aggregate<State>>,
  { bell, inTurn, recent, store }: OutboxDeps<State>,
): Outbox {
  /** @param read as the relay has it: a write by its revision tells whether it is still so. */
  const trim = async (
    id: string,
    revision: number,
    read: Stored<Aggregate<State>> | undefined,
  ): Promise<void> => {
    const guess = recent.get(id);
    let stored = guess !== undefined && guess.revision > (read?.revision ?? 0) ? guess : read;
    for (; stored !== undefined; stored = await documents.get(id)) {
      const outbox = stored.value.outbox.filter((entry) => entry.revision > revision);
      if (outbox.length === stored.value.outbox.length && outbox.length > 0) return;
      try {
        await store(id, { ...stored.value, outbox }, stored.revision);
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
      const guess = recent.get(id);
      // Entries that this process wrote are durable, whatever came after them; that there are none only the document can say.
      const stored = (guess?.value.outbox.length ?? 0) > 0 ? guess : await documents.get(id);
      const entries = stored?.value.outbox ?? [];
      const revision = entries.at(-1)?.revision ?? 0;
      return { entries, trim: () => inTurn(id, () => trim(id, revision, stored)) };
    },
    onPending: bell.listen,
  };
}
