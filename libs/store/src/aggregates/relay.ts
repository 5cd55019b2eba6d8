import {
  type Backoff,
  backoffMs,
  canonicalJson,
  type Clock,
  contentName,
  defaultBackoff,
  HeddleError,
  isHeddleError,
  messageOf,
  orAborted,
} from "@heddle/base";
import { failpoint } from "@heddle/failpoint";
import type { OutboxEntry } from "./aggregate.ts";
import { chainStart } from "./change.ts";
import type { Outbox } from "./outbox.ts";
import { startWaiting, type Waiting } from "./waiting.ts";

/** A record as the event log takes it. */
export interface OutboxRecord {
  readonly key: string;
  readonly value: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
}

/** The event log, as far as the relay needs it: `append` is durable when it resolves. */
export interface RecordSink {
  append(topic: string, records: readonly OutboxRecord[]): Promise<void>;
}

export interface RelayDeps {
  /** The service: CloudEvents source `//heddle/<service>`, failpoints `<service>.relay.…`. */
  readonly service: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: { warn(facts: object, sentence: string): void };
  /** How often it looks for what other processes wrote; writes of this one wake it at once. */
  readonly pollMs?: number;
  /** While the log refuses; `defaultBackoff` when absent. */
  readonly backoff?: Backoff;
}

/** The aggregate itself is at fault: its document is damaged, or no log takes what it says. Others are not held up by it. */
const ownFaults: ReadonlySet<unknown> = new Set(["DATA_LOSS", "INVALID_ARGUMENT"]);

/**
 * Publishes what waits in the outboxes: per aggregate in order, at least once, then trims it. A
 * death between the two publishes again, so consumers drop what is not newer than the revision
 * they know. While the log refuses, it waits with backoff; an aggregate that cannot be relayed is told of, and holds up no other.
 * Resolves when the signal aborts.
 */
export async function relayOutbox(
  outboxes: readonly Outbox[],
  log: RecordSink,
  deps: RelayDeps,
  signal: AbortSignal,
): Promise<void> {
  const { clock, random, pollMs = 1_000, backoff = defaultBackoff } = deps;
  const sleeper = startSleeper(clock, signal);
  const waiting = outboxes.map((outbox) => startWaiting(outbox, sleeper.wake, signal));
  const lookAgain = (): void => waiting.forEach((one) => one.lookAgain());
  let failures = 0;
  let polledMs = clock.monotonicMs();
  while (!signal.aborted) {
    sleeper.arm();
    try {
      for (const one of waiting) await relayWaiting(one, log, deps, signal);
      failures = 0;
      const leftMs = polledMs + pollMs - clock.monotonicMs();
      if (!waiting.some((one) => one.some()) && leftMs > 0) await sleeper.sleep(leftMs);
      if (clock.monotonicMs() - polledMs >= pollMs) {
        polledMs = clock.monotonicMs();
        lookAgain();
      }
    } catch (error) {
      if (signal.aborted) return;
      lookAgain();
      failures += 1;
      const facts = { service: deps.service, failures, error: messageOf(error) };
      deps.log.warn(facts, "events could not be relayed, trying again");
      sleeper.arm();
      await sleeper.sleepThrough(backoffMs(backoff, failures, random()));
    }
  }
}

/** Relays until it is disposed of. */
export function startRelay(
  outboxes: readonly Outbox[],
  log: RecordSink,
  deps: RelayDeps,
): AsyncDisposable {
  const stop = new AbortController();
  const relayed = relayOutbox(outboxes, log, deps, stop.signal);
  return {
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await relayed;
    },
  };
}

async function relayWaiting(
  waiting: Waiting,
  log: RecordSink,
  deps: RelayDeps,
  signal: AbortSignal,
): Promise<void> {
  const { outbox, stuck } = waiting;
  const told = [...stuck.values()].join("; ");
  let relayed = 0;
  for await (const id of waiting.take()) {
    if (signal.aborted) return;
    try {
      await relayOne(id, outbox, log, deps, signal);
      stuck.delete(id);
      relayed += 1;
    } catch (error) {
      if (!isHeddleError(error) || !ownFaults.has(error.code)) throw error;
      stuck.set(id, `${outbox.noun} ${id}: ${error.message}`);
    }
  }
  // Where all that is marked is stuck, another look at once would find the same.
  if (relayed === 0 && stuck.size > 0) waiting.rest();
  const error = [...stuck.values()].join("; ");
  if (error !== "" && error !== told) {
    deps.log.warn({ service: deps.service, error }, "events of aggregates cannot be relayed");
  }
}

async function relayOne(
  id: string,
  outbox: Outbox,
  log: RecordSink,
  deps: RelayDeps,
  signal: AbortSignal,
): Promise<void> {
  const { entries, trim } = await outbox.read(id);
  if (entries.length === 0) return;
  for (const [topic, run] of runsByTopic(entries)) {
    if (signal.aborted) return;
    const records = run.map((entry) => toRecord(id, entry, entries, deps.service));
    // A log that is away may take long to say so: who stops does not wait, and appends them again when it starts.
    await orAborted(log.append(topic, records), signal);
  }
  failpoint(`${deps.service}.relay.after-append`);
  await trim();
}

/** Neighbours of one topic go in one append; across topics the order of the outbox stays. */
function runsByTopic(entries: readonly OutboxEntry[]): [string, OutboxEntry[]][] {
  const runs: [string, OutboxEntry[]][] = [];
  for (const entry of entries) {
    const last = runs.at(-1);
    if (last?.[0] === entry.topic) last[1].push(entry);
    else runs.push([entry.topic, [entry]]);
  }
  return runs;
}

function toRecord(
  id: string,
  entry: OutboxEntry,
  entries: readonly OutboxEntry[],
  service: string,
): OutboxRecord {
  const n = entries.filter((e) => e.revision === entry.revision).indexOf(entry);
  return {
    key: id,
    value: Buffer.from(canonicalJson(entry)),
    headers: {
      ce_specversion: "1.0",
      ce_id: `${id}/${entry.revision}/${n}`,
      ce_type: entry.type,
      ce_source: `//heddle/${service}`,
      ce_subject: id,
      ce_time: new Date(entry.timeMs).toISOString(),
      // As the binding names it; `content_type` is not found by CloudEvents libraries.
      "content-type": "application/json",
      ...(entry.traceparent === undefined ? {} : { traceparent: entry.traceparent }),
    },
  };
}

/** The entry that a relayed record carries. */
export function entryOf(record: { readonly value: Uint8Array }): OutboxEntry {
  return JSON.parse(Buffer.from(record.value).toString()) as OutboxEntry;
}

/**
 * Checks that each entry of one aggregate names the hash of the one before it.
 *
 * @param entries in order, each once, from the first on or from after `link`.
 * @returns the newest link, which the aggregate's `chain` must equal.
 * @throws {HeddleError} DATA_LOSS CHAIN_BROKEN at the first entry that does not fit.
 */
export function verifyChain(entries: readonly OutboxEntry[], link: string = chainStart): string {
  for (const entry of entries) {
    if (entry.previous !== link) {
      throw new HeddleError(
        "DATA_LOSS",
        "CHAIN_BROKEN",
        `the audit record of revision ${entry.revision} by ${entry.actor} does not follow the one before it`,
      );
    }
    link = contentName(entry);
  }
  return link;
}

/** A sleep that a wake ends, also one that came after `arm` and before the sleep. */
function startSleeper(clock: Clock, signal: AbortSignal) {
  let awake = new AbortController();
  const until = async (ms: number, wakened: AbortSignal): Promise<void> => {
    try {
      await clock.sleep(ms, wakened);
    } catch (error) {
      if (!wakened.aborted) throw error;
    }
  };
  return {
    wake: () => awake.abort(),
    arm: () => {
      if (awake.signal.aborted) awake = new AbortController();
    },
    sleep: (ms: number) => until(ms, AbortSignal.any([awake.signal, signal])),
    /** After a failure a new write must not shorten the backoff. */
    sleepThrough: (ms: number) => until(ms, signal),
  };
}
