import {
  assert,
  type Backoff,
  backoffMs,
  type Clock,
  contentName,
  HeddleError,
  isHeddleError,
  type Json,
} from "@heddle/base";
import type { Aggregate } from "./aggregate.ts";
import { type Decision, decideNext, firstAggregate, repeatedRequest } from "./change.ts";
import type { ChangeContext } from "./change-context.ts";
import { openOutbox, type Outbox, startBell } from "./outbox.ts";
import type { Documents, ListOptions, Stored } from "./port.ts";

/** An aggregate as its service sees it. `revision` is the etag. */
export interface Known<State> {
  readonly id: string;
  readonly state: State;
  readonly revision: number;
  readonly fence: number;
}

export interface Changed<State, Result> extends Known<State> {
  /** The decision's, or that of the first time when `repeated`. */
  readonly result: Result;
  readonly repeated: boolean;
}

export interface UpdateOptions {
  /** Fencing token of the caller: refused when a higher one has driven this aggregate, raised when lower. */
  readonly fence?: number;
  /** Etag: the revision that the caller has seen. */
  readonly expected?: number;
}

export interface Aggregates<State> {
  /**
   * Creates an aggregate at revision 1.
   *
   * @throws {HeddleError} ALREADY_EXISTS AGGREGATE_EXISTS when another request created it.
   * @throws {HeddleError} ALREADY_EXISTS REQUEST_ID_REUSED when the same request id had another body.
   */
  create<Result extends Json | undefined = undefined>(
    id: string,
    decision: Decision<State, Result>,
    context: ChangeContext,
    options?: Pick<UpdateOptions, "fence">,
  ): Promise<Changed<State, Result>>;
  /**
   * Reads, decides, writes by compare-and-set, and starts over when another write came first.
   * `decide` is pure: it may run several times. What it throws passes to the caller unchanged.
   * A decision with the same state and no events writes nothing, except a raised fence.
   *
   * @throws {HeddleError} NOT_FOUND NO_SUCH_AGGREGATE.
   * @throws {HeddleError} ALREADY_EXISTS REQUEST_ID_REUSED when the same request id had another body.
   * @throws {HeddleError} ABORTED FENCED when a higher token has driven it.
   * @throws {HeddleError} ABORTED STALE_ETAG when `expected` is not its revision.
   * @throws {HeddleError} ABORTED REVISION_CONFLICT when it lost `triesMax` races.
   * @throws {HeddleError} RESOURCE_EXHAUSTED OUTBOX_FULL while `outboxEntriesMax` events wait for the relay.
   */
  update<Result extends Json | undefined = undefined>(
    id: string,
    decide: (state: State, known: Known<State>) => Decision<State, Result>,
    context: ChangeContext,
    options?: UpdateOptions,
  ): Promise<Changed<State, Result>>;
  get(id: string): Promise<Known<State> | undefined>;
  /** In id order; `next` is the `after` of the next page. */
  list(
    options?: ListOptions,
  ): Promise<{ readonly items: readonly Known<State>[]; readonly next?: string }>;
  /** What the relay publishes from. */
  readonly outbox: Outbox;
}

export interface AggregatesDeps {
  /** What one of them is called in messages and failpoints: `model`, `pipeline run`. */
  readonly noun: string;
  readonly clock: Clock;
  /** Uniform in [0, 1): spreads the retries of racing writers. */
  readonly random: () => number;
  readonly backoff?: Backoff;
  readonly triesMax?: number;
}

const raceBackoff: Backoff = { initialMs: 1, maxMs: 50, multiplier: 2, jitter: 1 };

/** The aggregates of one collection: every change atomic, audited, fenced, and applied once a request. */
export function openAggregates<State>(
  documents: Documents<Aggregate<State>>,
  deps: AggregatesDeps,
): Aggregates<State> {
  const { noun, clock } = deps;
  const bell = startBell();
  const inTurn = startTurns();
  const store = async (id: string, next: Aggregate<State>, expected: number): Promise<void> => {
    const pending = next.outbox.length > 0;
    await documents.put(id, next, expected, { pending });
    if (pending) bell.ring();
  };

  return {
    create: async (id, decision, context, options = {}) => {
      const now = clock.now();
      const next = firstAggregate(id, decision, context, options.fence ?? 0, now);
      try {
        await store(id, next, 0);
        return { ...knownOf(id, next), result: decision.result as never, repeated: false };
      } catch (error) {
        if (!isToBeReadAgain(error)) throw error;
      }
      const stored = await documents.get(id);
      const repeat = stored === undefined ? undefined : repeatedRequest(stored.value, context);
      if (stored === undefined || repeat === undefined) throw exists(noun, id);
      return { ...knownOf(id, stored.value), result: repeat.result as never, repeated: true };
    },
    update: async (id, decide, context, options = {}) =>
      inTurn(id, () =>
        retryRaces(deps, async () => {
          const stored = await documents.get(id);
          if (stored === undefined) throw missing(noun, id);
          const current = stored.value;
          const repeat = repeatedRequest(current, context);
          if (repeat !== undefined) {
            return { ...knownOf(id, current), result: repeat.result as never, repeated: true };
          }
          checkEtag(noun, id, current.revision, options.expected);
          const fence = raiseFence(noun, id, current.fence, options.fence);
          const decision = decide(current.state, knownOf(id, current));
          const next = decideNext(id, current, decision, context, fence, clock.now());
          if (next !== current) await store(id, next, stored.revision);
          return { ...knownOf(id, next), result: decision.result as never, repeated: false };
        }),
      ),
    get: async (id) => {
      const stored = await documents.get(id);
      return stored && knownOf(id, stored.value);
    },
    list: async (options) => {
      const { items, next } = await documents.list(options);
      const known = items.map((item: Stored<Aggregate<State>>) => knownOf(item.key, item.value));
      return next === undefined ? { items: known } : { items: known, next };
    },
    outbox: openOutbox(noun, documents, bell, inTurn),
  };
}

/**
 * The id of what a request creates: a repeat of the request finds what the first one made.
 *
 * @param parent what it belongs to, so that equal request ids of two callers do not meet.
 */
export function idFromRequest(prefix: string, parent: string, requestId: string): string {
  assert(requestId !== "", "a creating request has an id");
  return `${prefix}-${contentName([prefix, parent, requestId]).slice(0, 20)}`;
}

/** Lets the updates of one id in this process take turns, so that only other processes race them. */
function startTurns(): <T>(id: string, work: () => Promise<T>) => Promise<T> {
  const last = new Map<string, Promise<unknown>>();
  return (id, work) => {
    const mine = (last.get(id) ?? Promise.resolve()).then(work, work);
    last.set(id, mine);
    const leave = (): void => {
      if (last.get(id) === mine) last.delete(id);
    };
    mine.then(leave, leave);
    return mine;
  };
}

/** Another's write came first, or came after ours and hides it: the request ids in the document say which. */
function isToBeReadAgain(error: unknown): boolean {
  return isHeddleError(error, "REVISION_CONFLICT") || isHeddleError(error, "WRITE_OUTCOME_UNKNOWN");
}

async function retryRaces<T>(deps: AggregatesDeps, attempt: () => Promise<T>): Promise<T> {
  const { clock, random, backoff = raceBackoff, triesMax = 20 } = deps;
  for (let tries = 1; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (!isToBeReadAgain(error) || tries >= triesMax) throw error;
    }
    // The wait is at most backoff.maxMs, so it needs no signal of the caller's.
    await clock.sleep(backoffMs(backoff, tries, random()), new AbortController().signal);
  }
}

function knownOf<State>(id: string, aggregate: Aggregate<State>): Known<State> {
  const { state, revision, fence } = aggregate;
  return { id, state, revision, fence };
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

function exists(noun: string, id: string): HeddleError {
  return new HeddleError(
    "ALREADY_EXISTS",
    "AGGREGATE_EXISTS",
    `${noun} ${id} exists already: choose another id, or update it`,
  );
}

function missing(noun: string, id: string): HeddleError {
  return new HeddleError("NOT_FOUND", "NO_SUCH_AGGREGATE", `there is no ${noun} ${id}`);
}
