import { HeddleError, isHeddleError, messageOf } from "@heddle/base";
import type { Route, ShardClients } from "./route.ts";

/** One process that keeps a shard: the first, or one that took the place of a lost one. */
export interface Life {
  /** 0 for the first; no two others of an attempt have the same. */
  readonly number: number;
  readonly clients: ShardClients;
  readonly route: Route;
  /** Aborts when it is lost. */
  readonly gone: AbortSignal;
  /** Ends its calls: when it is lost, or all ends. */
  readonly signal: AbortSignal;
}

/** A process that may take a place. */
export type Newcomer = Pick<Life, "number" | "clients" | "route">;

/** A shard as a learner calls it, whichever process keeps it. */
export interface ShardLink extends AsyncDisposable {
  readonly shard: number;
  /**
   * Makes a call, and makes it again on the process that took the place of a lost one.
   *
   * @throws {HeddleError} what the call throws; UNAVAILABLE SHARD_LOST when nobody takes the place in time.
   */
  call<T>(run: (life: Life) => Promise<T>): Promise<T>;
  /**
   * Makes a call that only this process can answer.
   *
   * @param number of the process that is meant; that of now when absent.
   * @throws {HeddleError} ABORTED SHARD_REPLACED when it is lost.
   */
  once<T>(run: (life: Life) => Promise<T>, number?: number): Promise<T>;
  /** The process of now is lost: its calls end, and those that may be made again wait for the next. */
  lose(): void;
  /** A process has taken the place. */
  enter(life: Newcomer): void;
  /** Nobody will take the place: all calls fail by it. */
  fail(error: unknown): void;
}

export interface LinkOptions {
  readonly shard: number;
  /** Whether lost shards are replaced: in bounded mode. */
  readonly isReplaceable: boolean;
  /** How long another process may take to be there, with the shard's rows. */
  readonly replaceMs: number;
  /** A shard that cannot be reached for this long is told to be lost, or was not lost. */
  readonly noticeMs: number;
  /** Ends all waiting. */
  readonly signal: AbortSignal;
}

interface Open extends Life {
  readonly end: AbortController;
}

export function openLink(options: LinkOptions, first: Newcomer): ShardLink {
  const { shard, isReplaceable, replaceMs, noticeMs } = options;
  const lives: Open[] = [];
  let now = Promise.withResolvers<Open>();
  let current: Open | undefined;

  const enter = ({ number, clients, route }: Newcomer): void => {
    const end = new AbortController();
    const signal = AbortSignal.any([options.signal, end.signal]);
    current = { number, clients, route, gone: end.signal, signal, end };
    lives.push(current);
    now.resolve(current);
  };
  enter(first);
  const next = (): Promise<Open> =>
    within(now.promise, replaceMs, options, () => lost(shard, replaceMs));

  const call = async <T>(run: (life: Life) => Promise<T>): Promise<T> => {
    for (;;) {
      const life = current ?? (await next());
      try {
        const answer = await run(life);
        // What comes from a lost process is nobody's word any more: the gang was told otherwise.
        if (!life.gone.aborted) return answer;
      } catch (error) {
        if (life.gone.aborted) continue;
        if (!isReplaceable || !isLoss(error)) throw error;
        const why = (): HeddleError => lost(shard, noticeMs, error);
        await within(aborted(life.gone), noticeMs, options, why);
      }
    }
  };
  return {
    shard,
    call,
    once: async (run, number) => {
      const life = current;
      if (life === undefined || (number !== undefined && life.number !== number)) {
        throw replaced(shard);
      }
      try {
        const answer = await run(life);
        if (!life.gone.aborted) return answer;
      } catch (error) {
        if (!life.gone.aborted) {
          if (!isReplaceable || !isLoss(error)) throw error;
          await within(aborted(life.gone), noticeMs, options, () => lost(shard, noticeMs, error));
        }
      }
      throw replaced(shard);
    },
    lose: () => {
      if (current === undefined) return;
      const { end } = current;
      current = undefined;
      now = Promise.withResolvers();
      // Whoever calls learns of a failure; nobody has to.
      now.promise.catch(() => undefined);
      end.abort(replaced(shard));
    },
    enter,
    fail: (error) => now.reject(error),
    [Symbol.asyncDispose]: async () => {
      for (const { number, clients, route } of lives) {
        await route[Symbol.asyncDispose]();
        // Those of the first belong to whoever opened the wire.
        if (number > 0) await closeClients(clients);
      }
    },
  };
}

export async function closeClients({ traced, quiet }: ShardClients): Promise<void> {
  await traced[Symbol.asyncDispose]();
  await quiet[Symbol.asyncDispose]();
}

/** Nobody answers there, or somebody who has taken the address over. */
const isLoss = (error: unknown): boolean =>
  isHeddleError(error, "NOT_CONFIGURED") ||
  isHeddleError(error, "SHARD_REPLACED") ||
  (error instanceof HeddleError && error.code === "UNAVAILABLE");

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) =>
    signal.addEventListener("abort", () => resolve(), { once: true }),
  );
}

/** Waits for `event`, at most `ms`, or until all ends. */
async function within<T>(
  event: Promise<T>,
  ms: number,
  { signal }: LinkOptions,
  late: () => HeddleError,
): Promise<T> {
  signal.throwIfAborted();
  const over = Promise.withResolvers<never>();
  const onAbort = (): void => over.reject(signal.reason as Error);
  const timer = setTimeout(() => over.reject(late()), ms);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([event, over.promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}

function lost(shard: number, ms: number, cause?: unknown): HeddleError {
  const why = cause === undefined ? "" : ` (${messageOf(cause)})`;
  return new HeddleError(
    "UNAVAILABLE",
    "SHARD_LOST",
    `shard ${shard} is lost${why}, and no other process took its place within ${ms} ms: the attempt ends, and the next one returns to the last snapshot`,
    { metadata: { shard: String(shard) }, ...(cause !== undefined && { cause }) },
  );
}

function replaced(shard: number): HeddleError {
  return new HeddleError(
    "ABORTED",
    "SHARD_REPLACED",
    `shard ${shard} was lost during a call that no other process can answer: what it was for is given up`,
    { metadata: { shard: String(shard) } },
  );
}
