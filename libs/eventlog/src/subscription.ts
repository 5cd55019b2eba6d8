import { backoffMs, HeddleError, messageOf } from "@heddle/base";
import { failpoint } from "@heddle/failpoint";
import { letterOf } from "./dead-letter.ts";
import type { LocalLog } from "./local-log.ts";
import type { LogRecord, NewRecord, SubscribeOptions } from "./port.ts";

type Handle = (record: LogRecord, signal: AbortSignal) => Promise<void>;

const recordsAtOnceMax = 100;
const triesMaxDefault = 3;
/** A death hands over again what was handled since the last move of the offset: at most this long. */
const moveEveryMs = 100;

/** Hands a partition's records to one group's handler, in order, until the signal aborts. */
export async function consume(
  log: LocalLog,
  options: SubscribeOptions,
  partition: number,
  handle: Handle,
  signal: AbortSignal,
): Promise<void> {
  const { topic, group } = options;
  const { clock } = log.deps;
  const appends = watchAppends(log, topic, signal);
  let offset = log.offsetOf(group, topic, partition);
  let moved = offset;
  let movedMs = clock.monotonicMs();
  const move = async (dead?: NewRecord): Promise<void> => {
    failpoint("eventlog.subscribe.before-offset");
    await insist(log, signal, () => log.move(group, topic, partition, offset, dead));
    moved = offset;
    movedMs = clock.monotonicMs();
  };

  while (!signal.aborted) {
    const appended = appends.next();
    const batch = await log.read(topic, partition, offset, recordsAtOnceMax);
    for (const record of batch) {
      const failure = await tryHandle(log, options, record, handle, signal);
      if (failure === stoppedWhileHandling) break;
      offset = record.offset + 1;
      if (failure === undefined) {
        if (clock.monotonicMs() - movedMs >= moveEveryMs) await move();
      } else await move(letterOf(record, messageOf(failure.error), failure.tries));
      if (signal.aborted) break;
    }
    if (offset !== moved) await move();
    if (batch.length === 0) await appended;
  }
}

interface Failure {
  readonly tries: number;
  readonly error: unknown;
}
const stoppedWhileHandling: Failure = { tries: 0, error: undefined };

async function tryHandle(
  log: LocalLog,
  options: SubscribeOptions,
  record: LogRecord,
  handle: Handle,
  signal: AbortSignal,
): Promise<Failure | undefined> {
  const { triesMax = triesMaxDefault } = options;
  const { clock, random, backoff } = log.deps;
  for (let tries = 1; ; tries++) {
    try {
      await handle(record, signal);
      return undefined;
    } catch (error) {
      if (signal.aborted) return stoppedWhileHandling;
      if (tries >= triesMax) return { tries, error };
    }
    await pause(clock.sleep(backoffMs(backoff, tries, random()), signal), signal);
    if (signal.aborted) return stoppedWhileHandling;
  }
}

/** Repeats a write that a full or busy store refuses, for the subscription cannot go on without it. */
async function insist(
  log: LocalLog,
  signal: AbortSignal,
  write: () => Promise<void>,
): Promise<void> {
  const { clock, random, backoff } = log.deps;
  for (let tries = 1; ; tries++) {
    try {
      await write();
      return;
    } catch (error) {
      const passing = error instanceof HeddleError && error.code === "RESOURCE_EXHAUSTED";
      // Stopping without having moved only hands the records over once more.
      if (passing && signal.aborted) return;
      if (!passing) throw error;
    }
    await pause(clock.sleep(backoffMs(backoff, tries, random()), signal), signal);
  }
}

/** Waits, or stops waiting when the signal aborts. */
async function pause(sleep: Promise<void>, signal: AbortSignal): Promise<void> {
  try {
    await sleep;
  } catch (error) {
    if (!signal.aborted) throw error;
  }
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
