import {
  assert,
  type Backoff,
  backoffMs,
  type Clock,
  contentName,
  HeddleError,
  isHeddleError,
  type Json,
  startTurnsByKey,
} from "@heddle/base";
import type { Aggregate } from "./aggregate.ts";
import { type Decision, firstAggregate, repeatedRequest, type Step, stepFrom } from "./change.ts";
import type { ChangeContext } from "./change-context.ts";
import { openOutbox, openPut, type Outbox, startBell } from "./outbox.ts";
import type { Documents, ListOptions, Stored } from "../port.ts";
import { guessedStep, openRecent } from "./recent.ts";

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

interface UpdateOptions {
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
   * Decides and writes by compare-and-set, on what this process wrote or read last or else on what it reads now, and starts over when
   * another write came first.
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
  /** Between tries of one change that other writes came before; 1 to 50 ms when absent. */
  readonly backoff?: Backoff;
  /** Tries of one change; 20 when absent. */
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
  // Of one id in this process, so that only other processes race them.
  const inTurn = startTurnsByKey();
  const recent = openRecent<Aggregate<State>>();
  const store = openPut(documents, recent, bell);
  const apply = async <Result>(
    stored: Stored<Aggregate<State>>,
    { next, result, repeated }: Step<State>,
  ): Promise<Changed<State, Result>> => {
    const { key: id, value, revision } = stored;
    if (next === value) recent.keep(stored);
    else await store(id, next, revision);
    return { ...knownOf(id, next), result: result as Result, repeated };
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
    update: (id, decide, context, options = {}) => {
      const step = (current: Aggregate<State>): Step<State> => {
        const asked = { noun, id, context, ...options, nowMs: clock.now() };
        return stepFrom(current, (state) => decide(state, knownOf(id, current)), asked);
      };
      return inTurn(id, async () => {
        const guess = recent.get(id);
        const guessed = guess && guessedStep(guess.value, step);
        try {
          if (guess !== undefined && guessed !== undefined) return await apply(guess, guessed);
        } catch (error) {
          if (!isToBeReadAgain(error)) throw error;
        }
        return await retryRaces(deps, async () => {
          const stored = await documents.get(id);
          if (stored === undefined) throw missing(noun, id);
          return await apply(stored, step(stored.value));
        });
      });
    },
    get: async (id) => {
      const stored = await documents.get(id);
      if (stored === undefined) return undefined;
      // Who looks at one often changes it next.
      recent.keep(stored);
      return knownOf(id, stored.value);
    },
    list: async (options) => {
      const { items, next } = await documents.list(options);
      const known = items.map((item: Stored<Aggregate<State>>) => knownOf(item.key, item.value));
      return next === undefined ? { items: known } : { items: known, next };
    },
    outbox: openOutbox(noun, documents, { bell, inTurn, recent, store }),
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
