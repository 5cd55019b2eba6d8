import type { Outbox } from "./outbox.ts";

/** Which aggregates of a collection may have something to relay. */
export interface Waiting {
  readonly outbox: Outbox;
  some(): boolean;
  /**
   * One after another: those that this process changed, and where others may have changed some, those that are marked, for which a
   * query looks. One that changes after it was given is given again by the next call.
   */
  take(): AsyncIterable<string>;
  lookAgain(): void;
  /** No look until it is asked for. */
  rest(): void;
  /** Aggregates that could not be relayed, by id, and why. */
  readonly stuck: Map<string, string>;
}

const aggregatesAtOnceMax = 100;

/** @param wake is called whenever there is something new to take. */
export function startWaiting(outbox: Outbox, wake: () => void, signal: AbortSignal): Waiting {
  const changed = new Set<string>();
  // What a process before this one left is found by its mark.
  let look = true;
  outbox.onPending((id) => {
    // More are not kept in mind: their marks are.
    if (changed.size < aggregatesAtOnceMax) changed.add(id);
    else look = true;
    wake();
  }, signal);
  return {
    outbox,
    some: () => look || changed.size > 0,
    take: async function* () {
      let ids = new Set(changed);
      if (look) {
        look = false;
        const marked = await outbox.pending(aggregatesAtOnceMax);
        if (marked.length === aggregatesAtOnceMax) look = true;
        ids = ids.union(new Set(marked));
      }
      for (const id of ids) {
        changed.delete(id);
        yield id;
      }
    },
    lookAgain: () => void (look = true),
    rest: () => void (look = false),
    stuck: new Map(),
  };
}
