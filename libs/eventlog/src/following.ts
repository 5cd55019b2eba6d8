import { assert, type Backoff, backoffMs, type Clock, isHeddleError, present } from "@heddle/base";
import { offsetGone } from "./errors.ts";
import type { Follower, LogRecord, TopicNow } from "./port.ts";

/** A topic that is open for one follower, until the log fails. */
export interface FollowedTopic extends AsyncDisposable {
  readonly now: TopicNow;
  /** Some records from `offset` on; none, or a rejection, when the signal aborts. */
  take(partition: number, offset: number, signal: AbortSignal): Promise<readonly LogRecord[]>;
}

export interface FollowDeps {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly backoff: Backoff;
}

/** An opening that lasted so long was none of a row of failures. */
const wellMs = 10_000;

/** Follows a topic, opened anew whenever the log fails, until the signal aborts: see `EventLog.follow`. */
export async function follow(
  topic: string,
  open: () => Promise<FollowedTopic>,
  follower: Follower,
  { clock, random, backoff }: FollowDeps,
  signal: AbortSignal,
): Promise<void> {
  for (let failures = 0; !signal.aborted;) {
    const openedMs = clock.monotonicMs();
    try {
      await using opened = await open();
      await followOpened(topic, opened, follower, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (!isHeddleError(error) || error.code !== "UNAVAILABLE") throw error;
      failures = clock.monotonicMs() - openedMs > wellMs ? 1 : failures + 1;
      await clock.sleep(backoffMs(backoff, failures, random()), signal).catch(() => undefined);
    }
  }
}

/** Until the signal aborts; rejects with the first failure, once all partitions have ended. */
async function followOpened(
  topic: string,
  { now, take }: FollowedTopic,
  follower: Follower,
  signal: AbortSignal,
): Promise<void> {
  const offsets = await follower.begin(now);
  assert(offsets.length === now.positions.length, "a follower has an offset for each partition");
  for (const [partition, offset] of offsets.entries()) {
    const position = present(now.positions[partition], "each offset has its partition");
    if (offset >= position.start && offset <= position.end) continue;
    throw offsetGone(topic, partition, offset, position);
  }
  const failed = new AbortController();
  const stopped = AbortSignal.any([signal, failed.signal]);
  const followOne = async (start: number, partition: number): Promise<void> => {
    for (let offset = start; !stopped.aborted;) {
      const records = await take(partition, offset, stopped);
      const last = records.at(-1);
      if (last === undefined || stopped.aborted) continue;
      await follower.handle(partition, records, stopped);
      offset = last.offset + 1;
    }
  };
  const failures: unknown[] = [];
  await Promise.all(
    offsets.map((start, partition) =>
      followOne(start, partition).catch((error: unknown) => {
        if (!stopped.aborted) failures.push(error);
        failed.abort();
      }),
    ),
  );
  if (failures.length > 0) throw failures[0];
}
