import { defaultBackoff, startTurnsByKey } from "@heddle/base";
import type { LmdbEnvironment } from "@heddle/store";
import { letterBytesMax, letterOf } from "../dead-letter.ts";
import { checkTopic, partitionKey } from "../layout.ts";
import type { EventLog } from "../port.ts";
import { follow } from "../following.ts";
import { consumeLocal, openLocalTopic } from "./local-subscription.ts";
import { lettersOf } from "../topics.ts";
import { type LocalLogDeps, openPartitions } from "./local-partitions.ts";

/**
 * The event log of one process on a shared LMDB environment. Offsets are given inside the write
 * transaction, so they have no gaps and follow the order of commits; subscribers are woken by
 * appends and never poll.
 */
export function openLocalLog(environment: LmdbEnvironment, options: LocalLogDeps): EventLog {
  const deps = { partitions: 1, backoff: defaultBackoff, ...options };
  const { log, append, partitionsOf, ...rest } = openPartitions(environment, deps);
  const closing = new AbortController();
  const subscriptions = new Set<Promise<unknown>>();
  const inTurn = startTurnsByKey();
  return {
    append: (topic, batch) => append(topic, batch),
    deadLetter: (topic, useless) => {
      const letters = useless.map(({ record, reason }) => letterOf(record, reason));
      return append(lettersOf(topic), letters, letterBytesMax);
    },
    read: log.read,
    ...rest,
    follow: async (topic, follower, signal) => {
      checkTopic(topic);
      const stopped = AbortSignal.any([signal, closing.signal]);
      const open = () => openLocalTopic(log, topic, stopped);
      const following = follow(topic, open, follower, deps, stopped);
      subscriptions.add(following);
      await following.finally(() => subscriptions.delete(following));
    },
    subscribe: async (options, handle, signal) => {
      checkTopic(options.topic);
      checkTopic(options.group);
      const failed = new AbortController();
      const stopped = AbortSignal.any([signal, closing.signal, failed.signal]);
      const partitions = partitionsOf(options.topic) || deps.partitions;
      const all = Array.from({ length: partitions }, (_, partition) => {
        const name = partitionKey(options.group, options.topic, partition).toString();
        // One consumer of a group reads a partition at a time; the next waits for its end.
        const mine = inTurn(name, () => consumeLocal(log, options, partition, handle, stopped));
        mine.catch(() => failed.abort());
        return mine;
      });
      const done = Promise.allSettled(all);
      subscriptions.add(done);
      await done;
      subscriptions.delete(done);
      await Promise.all(all);
    },
    [Symbol.asyncDispose]: async () => {
      closing.abort();
      await Promise.allSettled(subscriptions);
    },
  };
}
