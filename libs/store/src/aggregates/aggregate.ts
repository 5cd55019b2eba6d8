import type { Json } from "@heddle/base";
import type { DomainEvent } from "./event.ts";

/**
 * One aggregate is one document. A state change is one compare-and-set of it, and the change's
 * event and audit record travel in the same write, so neither can exist without the other.
 */
export interface Aggregate<State> {
  readonly state: State;
  /**
   * 1 when created, one more at each change of state or fence. The stored document's own revision
   * also moves when the relay trims the outbox, so etags and consumers go by this one.
   */
  readonly revision: number;
  /** Highest fencing token that has driven this aggregate; a write with a lower one is refused. */
  readonly fence: number;
  /** Events not yet relayed to the event log, oldest first; at most `outboxEntriesMax`. */
  readonly outbox: readonly OutboxEntry[];
  /** Recent request ids and the reply digest each got, newest last; at most `requestIdsMax`. */
  readonly requests: readonly HandledRequest[];
  /** SHA-256 of the newest audit entry, the link of the next one; 64 zeros before the first. */
  readonly chain: string;
}

export interface HandledRequest {
  readonly id: string;
  /** SHA-256 of the request without its id: the same id with another body is an error. */
  readonly digest: string;
  /** What the first answer was made of, to make it again; at most `resultBytesMax`. */
  readonly result?: Json;
}

/** An event and audit record in one. */
export interface OutboxEntry extends DomainEvent {
  /** The aggregate's revision that this entry belongs to: consumers drop what is not newer. */
  readonly revision: number;
  readonly timeMs: number;
  readonly actor: string;
  readonly requestId: string;
  readonly digestBefore: string;
  readonly digestAfter: string;
  /** Hash of the previous entry of this aggregate. */
  readonly previous: string;
  /** W3C trace context of the request that caused it. */
  readonly traceparent?: string;
}

export const outboxEntriesMax = 256;
export const requestIdsMax = 64;
export const resultBytesMax = 4096;
