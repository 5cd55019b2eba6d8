import { type Backoff, backoffMs, type Clock, HeddleError, isHeddleError } from "@heddle/base";
import { type EventLog, onlineTopic } from "@heddle/eventlog";
import type { LmdbEnvironment } from "@heddle/store";
import { type FeedDeps, openFeed } from "./feed.ts";
import { watchLag } from "./lag.ts";
import { openProgress, type Progress } from "./progress.ts";
import { nextToSettle } from "./settle.ts";
import { openTable, type Table } from "./table.ts";

export interface FedTableDeps {
  readonly log: EventLog;
  readonly environment: LmdbEnvironment;
  readonly clock: Clock;
  readonly random: () => number;
  readonly backoff: Backoff;
  readonly settleWithinMs: number;
  readonly lagMsMax: number;
  readonly lookEveryMs: number;
}

/** A table that the topic is applied to, and those who wait for it. */
export interface FedTable extends AsyncDisposable {
  readonly table: Table;
  readonly progress: Progress;
  /** Waits until all that the log holds now is applied. */
  caughtUp(): Promise<void>;
  /** Waits for `done`, asked whenever something moved; rejects with what keeps the table from going on, or when it is closed. */
  until(done: () => boolean): Promise<void>;
  /** See `OnlineValues.lagMs`. */
  lagMs(): number;
  /** @throws as `OnlineReplica.check`. */
  check(): void;
  /** @throws {HeddleError} UNAVAILABLE ONLINE_REPLICA_BEHIND while the table is not whole; what keeps it from going on. */
  checkWhole(): void;
  /** That the table is behind the log, by how much, and what to do. */
  lags(): HeddleError;
}

export function openFedTable(deps: FedTableDeps): FedTable {
  const { log, environment } = deps;
  const table = openTable(environment);
  const progress = openProgress();
  const closing = new AbortController();
  let problem: HeddleError | undefined;
  const until: FedTable["until"] = async (done) => {
    const doneOrRefused = (): boolean => {
      if (problem !== undefined) throw problem;
      return done();
    };
    await progress.until(doneOrRefused, closing.signal).catch((error: unknown) => {
      throw closing.signal.aborted ? closed(environment.path) : error;
    });
  };
  const caughtUp: FedTable["caughtUp"] = async () => {
    const ends = (await log.positions(onlineTopic)).map(({ end }) => end);
    await until(() => progress.offsets.length > 0 && progress.has(ends));
  };
  const feed: FeedDeps = {
    ...{ ...deps, table, progress },
    problem: (error) => {
      problem = error;
      progress.wake();
    },
  };
  const lag = watchLag(caughtUp, deps.clock, deps.lookEveryMs, closing.signal);
  const running = Promise.all([
    follow(feed, environment.path, closing.signal),
    settle(feed, deps.settleWithinMs, caughtUp, closing.signal),
    lag.watching,
  ]);
  const checkWhole = (): void => {
    if (problem !== undefined) throw problem;
    if (!table.isWhole()) throw behind(progress.offsets);
  };
  return {
    ...{ table, progress, until, caughtUp, checkWhole },
    lagMs: lag.ms,
    lags: () => lags(lag.ms(), progress.offsets),
    check: () => {
      checkWhole();
      if (lag.ms() > deps.lagMsMax) throw lags(lag.ms(), progress.offsets);
    },
    [Symbol.asyncDispose]: async () => {
      closing.abort();
      await running;
    },
  };
}

/** Feeds the table until the signal aborts. What is refused is tried again: rights, topics and disks are mended without a restart. */
async function follow(feed: FeedDeps, path: string, signal: AbortSignal): Promise<void> {
  for (let failures = 1; !signal.aborted; failures++) {
    try {
      await feed.log.follow(onlineTopic, openFeed(feed), signal);
    } catch (error) {
      if (!isHeddleError(error)) throw error;
      feed.problem(isHeddleError(error, "OFFSET_GONE") ? lost(path, error) : error);
    }
    const waitMs = backoffMs(feed.backoff, failures, feed.random());
    await feed.clock.sleep(waitMs, signal).catch(() => undefined);
  }
}

/** Tells the log what it lacks, whenever there is something, until the signal aborts. */
async function settle(
  { log, table, progress, clock, random, backoff }: FeedDeps,
  withinMs: number,
  caughtUp: () => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const next = () => nextToSettle(table, progress.offsets);
  for (let failures = 0; !signal.aborted;) {
    try {
      await progress.until(() => table.isWhole() && table.marks.any, signal);
      const againMs = failures === 0 ? 0 : backoffMs(backoff, failures, random());
      await clock.sleep(withinMs * random() + againMs, signal);
      await caughtUp();
      for (let records = await next(); records.length > 0; records = await next()) {
        await log.append(onlineTopic, records);
        await caughtUp();
      }
      failures = 0;
    } catch (error) {
      if (!signal.aborted && !isHeddleError(error)) throw error;
      failures += 1;
    }
  }
}

function behind(offsets: readonly number[]): HeddleError {
  return new HeddleError(
    "UNAVAILABLE",
    "ONLINE_REPLICA_BEHIND",
    `this replica of the online values is behind what topic ${onlineTopic} held when it began (it is at ${offsets.join(", ") || "no offset yet"} of the partitions): it goes on by itself; ask another replica, or again`,
  );
}

function lags(ms: number, offsets: readonly number[]): HeddleError {
  return new HeddleError(
    "UNAVAILABLE",
    "ONLINE_REPLICA_LAGS",
    `these online values may lack what others put in the last ${Math.ceil(ms / 1_000)} s: this replica has not had all of topic ${onlineTopic} since (it is at ${offsets.join(", ")} of the partitions); it goes on by itself: see whether the event log is there, and whether this process keeps up; ask another replica, or let it lag further (onlineLagMsMax)`,
    { metadata: { lagMs: String(Math.ceil(ms)) } },
  );
}

function lost(path: string, cause: HeddleError): HeddleError {
  return new HeddleError(
    "FAILED_PRECONDITION",
    "ONLINE_REPLICA_LOST",
    `the online values in ${path} cannot go on: ${cause.message}; stop this process, remove that folder, and start it again: they are built up anew from the topic; materialise the models whose values are missing then`,
    { cause },
  );
}

function closed(path: string): HeddleError {
  return new HeddleError(
    "UNAVAILABLE",
    "STORE_CLOSED",
    `the online values in ${path} are closed: this process is ending`,
  );
}
