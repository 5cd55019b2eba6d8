import { orAborted } from "@heddle/base";
import type { NewRecord, SubscribeOptions } from "../port.ts";
import { consume, type Handle } from "../subscription.ts";
import type { FollowedTopic } from "../following.ts";
import type { LocalLog } from "./local-partitions.ts";

const recordsAtOnceMax = 100;

/** Hands a partition's records to one group's handler, in order, until the signal aborts. Appends wake it; it never polls. */
export async function consumeLocal(
  log: LocalLog,
  options: SubscribeOptions,
  partition: number,
  handle: Handle,
  signal: AbortSignal,
): Promise<void> {
  const { topic, group } = options;
  const appends = watchAppends(log, topic, signal);
  const source = {
    take: async (offset: number) => {
      const appended = appends.next();
      const records = await log.read(topic, partition, offset, recordsAtOnceMax);
      if (records.length === 0) await appended;
      return records;
    },
    move: (offset: number, dead?: NewRecord) => log.move(group, topic, partition, offset, dead),
  };
  const start = log.offsetOf(group, topic, partition);
  const signals = { ending: signal, stopped: signal };
  await consume(source, start, options, handle, signals, log.deps);
}

/** A topic for one follower: its records, and those that come. A topic is never made anew here, so its name is its id. */
export async function openLocalTopic(
  log: LocalLog,
  topic: string,
  signal: AbortSignal,
): Promise<FollowedTopic> {
  const held = await log.positions(topic);
  const none = { start: 0, end: 0 };
  const positions =
    held.length > 0 ? held : Array.from({ length: log.deps.partitions }, () => none);
  const closed = new AbortController();
  const watching = AbortSignal.any([signal, closed.signal]);
  const appends = positions.map(() => watchAppends(log, topic, watching));
  return {
    now: { id: topic, positions },
    take: async (partition, offset, stopped) => {
      const appended = appends[partition]?.next() ?? Promise.resolve();
      const records = await log.read(topic, partition, offset, recordsAtOnceMax);
      if (records.length === 0) await orAborted(appended, stopped).catch(() => undefined);
      return records;
    },
    [Symbol.asyncDispose]: async () => closed.abort(),
  };
}

/** `next` is taken before a read, so that an append during the read is not missed. */
function watchAppends(
  log: LocalLog,
  topic: string,
  signal: AbortSignal,
): { next(): Promise<void> } {
  let appended = Promise.withResolvers<void>();
  const wake = (): void => appended.resolve();
  log.onAppend(topic, wake, signal);
  signal.addEventListener("abort", wake, { once: true });
  if (signal.aborted) wake();
  return {
    next: () => {
      if (!signal.aborted) appended = Promise.withResolvers<void>();
      return appended.promise;
    },
  };
}
