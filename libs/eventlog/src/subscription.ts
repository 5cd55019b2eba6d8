import { backoffMs, insist, type InsistDeps, messageOf } from "@heddle/base";
import { failpoint } from "@heddle/failpoint";
import { letterOf } from "./dead-letter.ts";
import type { LogRecord, NewRecord, SubscribeOptions } from "./port.ts";

export type Handle = (record: LogRecord, signal: AbortSignal) => Promise<void>;

/** One partition, as a group's consumer sees it. */
export interface ConsumedPartition {
  /** Some records from `offset` on; none when none came for a while, or the signal aborted. */
  take(offset: number, signal: AbortSignal): Promise<readonly LogRecord[]>;
  /** Makes the group's offset durable, and before it or with it what was given up on. */
  move(offset: number, dead?: NewRecord): Promise<void>;
}

/** When a consumer of a partition ends. */
export interface ConsumeSignals {
  /** No further record is handed over. */
  readonly ending: AbortSignal;
  /** The handler is to stop as well; it gets this one. */
  readonly stopped: AbortSignal;
}

const triesMaxDefault = 3;
/** A death hands over again what was handled since the last move of the offset: at most this long. */
const moveEveryMs = 100;

/** Hands a partition's records from `start` on to one group's handler, in order, until a signal aborts. */
export async function consume(
  partition: ConsumedPartition,
  start: number,
  options: SubscribeOptions,
  handle: Handle,
  { ending, stopped }: ConsumeSignals,
  deps: InsistDeps,
): Promise<void> {
  const { clock } = deps;
  let offset = start;
  let moved = offset;
  let movedMs = clock.monotonicMs();
  const move = async (dead?: NewRecord): Promise<void> => {
    failpoint("eventlog.subscribe.before-offset");
    await insist(() => partition.move(offset, dead), deps, stopped).catch((error: unknown) => {
      // Stopping without having moved only hands the records over once more.
      if (error !== stopped.reason) throw error;
    });
    moved = offset;
    movedMs = clock.monotonicMs();
  };

  while (!ending.aborted) {
    for (const record of await partition.take(offset, ending)) {
      if (ending.aborted) break;
      const failure = await tryHandle(options, record, handle, stopped, deps);
      if (failure === stoppedWhileHandling) break;
      offset = record.offset + 1;
      if (failure === undefined) {
        if (clock.monotonicMs() - movedMs >= moveEveryMs) await move();
      } else await move(letterOf(record, messageOf(failure.error), failure.tries));
    }
    if (offset !== moved) await move();
  }
}

interface Failure {
  readonly tries: number;
  readonly error: unknown;
}
const stoppedWhileHandling: Failure = { tries: 0, error: undefined };

async function tryHandle(
  options: SubscribeOptions,
  record: LogRecord,
  handle: Handle,
  signal: AbortSignal,
  { clock, random, backoff }: InsistDeps,
): Promise<Failure | undefined> {
  const { triesMax = triesMaxDefault } = options;
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

/** Waits, or stops waiting when the signal aborts. */
async function pause(sleep: Promise<void>, signal: AbortSignal): Promise<void> {
  try {
    await sleep;
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
