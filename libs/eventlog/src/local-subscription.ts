import type { NewRecord, SubscribeOptions } from "./port.ts";
import { consume, type Handle } from "./subscription.ts";
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
