import { assert, canonicalJson, contentName, HeddleError, type Json } from "@heddle/base";
import {
  type Aggregate,
  type HandledRequest,
  type OutboxEntry,
  outboxEntriesMax,
  requestIdsMax,
  resultBytesMax,
} from "./aggregate.ts";
import type { ChangeContext } from "./change-context.ts";
import type { DomainEvent } from "./event.ts";

/** What a decision makes of a state. A changed state has at least one event: its audit record. */
export interface Decision<State, Result extends Json | undefined> {
  readonly state: State;
  readonly events: readonly DomainEvent[];
  /** Kept for repeats of the request, at most `resultBytesMax`; most answers come from the state. */
  readonly result?: Result;
}

/** A change of the state, with the event that says so; one that changes nothing has none. */
export function changedTo<State>(
  before: State,
  next: State,
  event: DomainEvent,
): Decision<State, undefined> {
  return { state: next, events: next === before ? [] : [event] };
}

/** The link before an aggregate's first entry. */
export const chainStart = "0".repeat(64);

export function firstAggregate<State>(
  id: string,
  decision: Decision<State, Json | undefined>,
  context: ChangeContext,
  fence: number,
  nowMs: number,
): Aggregate<State> {
  const empty = { revision: 0, fence, outbox: [], requests: [], chain: chainStart };
  const nothing: Aggregate<State | null> = { ...empty, state: null };
  const next = decideNext<State | null>(id, nothing, decision, context, fence, nowMs);
  assert(next.outbox.length > 0, "a created aggregate has an event");
  return { ...next, state: decision.state };
}

/** The aggregate after a decision; the same object when the decision changes nothing. */
function decideNext<State>(
  id: string,
  current: Aggregate<State>,
  decision: Decision<State, Json | undefined>,
  context: ChangeContext,
  fence: number,
  nowMs: number,
): Aggregate<State> {
  const before = contentName(current.state);
  const after = contentName(decision.state);
  if (decision.events.length === 0) {
    assert(before === after, `a changed state of ${id} has an event, its audit record`);
    return fence === current.fence
      ? current
      : { ...current, fence, revision: current.revision + 1 };
  }
  if (current.outbox.length + decision.events.length > outboxEntriesMax) throw outboxFull(id);
  const revision = current.revision + 1;
  const outbox = [...current.outbox];
  let chain = current.chain;
  for (const event of decision.events) {
    const entry: OutboxEntry = {
      ...event,
      revision,
      timeMs: nowMs,
      actor: context.actor,
      requestId: context.requestId,
      digestBefore: before,
      digestAfter: after,
      previous: chain,
      ...(context.traceparent === undefined ? {} : { traceparent: context.traceparent }),
    };
    outbox.push(entry);
    chain = contentName(entry);
  }
  const requests = [...current.requests, handled(context, decision.result)].slice(-requestIdsMax);
  return { state: decision.state, revision, fence, outbox, requests, chain };
}

/** What a request makes of an aggregate; `next` is the same object where it changes nothing. */
export interface Step<State> {
  readonly next: Aggregate<State>;
  readonly result: Json | undefined;
  readonly repeated: boolean;
}

/** A request to one aggregate. */
export interface Asked {
  readonly noun: string;
  readonly id: string;
  readonly context: ChangeContext;
  readonly fence?: number;
  readonly expected?: number;
  readonly nowMs: number;
}

/**
 * Answers a request from an aggregate's state.
 *
 * @throws {HeddleError} REQUEST_ID_REUSED, STALE_ETAG, FENCED, OUTBOX_FULL as `Aggregates.update`, and what `decide` throws.
 */
export function stepFrom<State>(
  current: Aggregate<State>,
  decide: (state: State) => Decision<State, Json | undefined>,
  { noun, id, context, fence: token, expected, nowMs }: Asked,
): Step<State> {
  const repeat = repeatedRequest(current, context);
  if (repeat !== undefined) return { next: current, result: repeat.result, repeated: true };
  checkEtag(noun, id, current.revision, expected);
  const fence = raiseFence(noun, id, current.fence, token);
  const decision = decide(current.state);
  const next = decideNext(id, current, decision, context, fence, nowMs);
  return { next, result: decision.result, repeated: false };
}

/**
 * The earlier handling of this request, if there was one.
 *
 * @throws {HeddleError} ALREADY_EXISTS REQUEST_ID_REUSED when it had another body.
 */
export function repeatedRequest(
  current: Aggregate<unknown>,
  context: ChangeContext,
): HandledRequest | undefined {
  const earlier = current.requests.find((request) => request.id === context.requestId);
  if (earlier === undefined || earlier.digest === requestDigest(context.request)) return earlier;
  throw new HeddleError(
    "ALREADY_EXISTS",
    "REQUEST_ID_REUSED",
    `request id ${context.requestId} was used for another request: take a new one`,
    { metadata: { requestId: context.requestId } },
  );
}

/** SHA-256 of a request; 64-bit integers and bytes, which JSON cannot carry, are written as text. */
function requestDigest(request: unknown): string {
  const text = JSON.stringify(request ?? null, (_, value: unknown) => {
    if (typeof value === "bigint") return `${value}n`;
    return value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value;
  });
  return contentName(JSON.parse(text));
}

function handled(context: ChangeContext, result: Json | undefined): HandledRequest {
  const digest = requestDigest(context.request);
  if (result === undefined) return { id: context.requestId, digest };
  const bytes = Buffer.byteLength(canonicalJson(result));
  assert(
    bytes <= resultBytesMax,
    `a kept result has at most ${resultBytesMax} bytes, not ${bytes}`,
  );
  return { id: context.requestId, digest, result };
}

function checkEtag(noun: string, id: string, revision: number, expected: number | undefined): void {
  if (expected === undefined || expected === revision) return;
  throw new HeddleError(
    "ABORTED",
    "STALE_ETAG",
    `${noun} ${id} is at revision ${revision}, not ${expected}: read it again and redo the change`,
  );
}

function raiseFence(noun: string, id: string, current: number, token: number | undefined): number {
  if (token === undefined || token >= current) return token ?? current;
  throw new HeddleError(
    "ABORTED",
    "FENCED",
    `${noun} ${id} is driven by the holder of token ${current}; token ${token} has lost its lease`,
  );
}

function outboxFull(id: string): HeddleError {
  return new HeddleError(
    "RESOURCE_EXHAUSTED",
    "OUTBOX_FULL",
    `${outboxEntriesMax} events of ${id} wait for the event log; retry in 1,000 ms`,
    { metadata: { retryMs: "1000" } },
  );
}
