import { HeddleError, insist, type InsistDeps, isHeddleError } from "@heddle/base";
import {
  type EventLog,
  type Follower,
  type LogRecord,
  onlineTopic,
  type TopicNow,
} from "@heddle/eventlog";
import { failpoint } from "@heddle/failpoint";
import { type Change, changeOf, invalid } from "./change.ts";
import type { Progress } from "./progress.ts";
import type { Table } from "./table.ts";

export interface FeedDeps extends InsistDeps {
  readonly log: EventLog;
  readonly table: Table;
  readonly progress: Progress;
  /** Told what keeps the replica from going on, and undefined once it goes on. */
  problem(error: HeddleError | undefined): void;
}

/** Of one write: more would hold the event loop for longer than a request may wait. */
const [recordsAtOnceMax, bytesAtOnceMax] = [1_000, 2 << 20];

/** A record and what it says, or why it is of no use. */
type Read =
  | { readonly record: LogRecord; readonly change: Change }
  | { readonly record: LogRecord; readonly change?: never; readonly error: HeddleError };

/**
 * Applies the topic to the table. A record waits until all that its writer had applied is applied here, too, so that whoever reads here
 * never sees an effect before its cause, though these are in other partitions. No two wait for one another: what a record waits for was
 * in the log before it, so of all that is not applied the record that was appended first waits for nothing. What compaction took counts as
 * applied once the record behind it is there; and the brokers never take a partition's last one.
 *
 * @source Ahamad et al., "Causal memory: definitions, implementation, and programming", Distributed Computing 9, 1995.
 */
export function openFeed(deps: FeedDeps): Follower {
  const { log, table, progress } = deps;
  let topic: TopicNow = { id: "", positions: [] };
  let ends: readonly number[] = [];

  /** Whether all that the log held when this began is applied, once `partition` is at `offset`. */
  const holdsAll = (partition: number, offset: number): boolean => {
    const wanted = endsOf(topic);
    return offset >= (wanted[partition] ?? 0) && progress.has(wanted.with(partition, 0));
  };
  const apply = async (reads: readonly Read[], signal: AbortSignal): Promise<void> => {
    const { partition = 0, offset = 0 } = reads.at(-1)?.record ?? {};
    const changes = reads.flatMap(({ change }) => change ?? []);
    failpoint("online.apply.before-write");
    await insist(() => table.apply(partition, changes, offset + 1), deps, signal, deps.problem);
    failpoint("online.apply.after-write");
    // Whole before it moves: whoever waits for an offset may ask at once whether the replica is.
    if (!table.isWhole() && holdsAll(partition, offset + 1)) {
      await insist(() => table.begin(topic.id, true), deps, signal, deps.problem);
    }
    progress.move(partition, offset + 1);
  };
  /** The read of a record that has to wait, once it need not; without use when it would wait for ever. */
  const awaited = async (read: Read, signal: AbortSignal): Promise<Read> => {
    const { record, change } = read;
    if (change === undefined || isReady(read, progress)) return read;
    const beyond = (): boolean => change.after.some((offset, at) => offset > (ends[at] ?? 0));
    // Ends never go back, also when a broker takes over (KIP-207): what is beyond them now is nowhere.
    if (beyond()) ends = (await log.positions(onlineTopic)).map(({ end }) => end);
    if (beyond()) return { record, error: invalid(record, "it comes after what the log lacks") };
    await progress.until(() => isReady(read, progress), signal);
    return read;
  };
  return {
    begin: async (now) => {
      const known = table.topicId();
      if (known !== undefined && known !== now.id) throw topicReplaced();
      topic = now;
      ends = endsOf(now);
      const offsets = now.positions.map(({ start }, partition) => table.offset(partition) ?? start);
      // The log refuses what it does not hold: then what is here stays as it was.
      if (!now.positions.every(({ start, end }, at) => within(offsets[at], start, end))) {
        return offsets;
      }
      const whole = offsets.every((offset, partition) => offset === ends[partition]);
      await table.begin(now.id, whole);
      deps.problem(undefined);
      progress.restart(offsets);
      return offsets;
    },
    handle: async (partition, records, signal) => {
      let waiting = records.map((record) => readOf(record, topic.positions.length));
      while (waiting[0] !== undefined) {
        // What compaction took before it is not waited for.
        progress.move(partition, waiting[0].record.offset);
        waiting[0] = await awaited(waiting[0], signal);
        const ready = nextReady(waiting, progress);
        await bury(deps, ready, signal);
        await apply(ready, signal);
        waiting = waiting.slice(ready.length);
      }
    },
  };
}

const within = (offset = 0, start: number, end: number): boolean =>
  offset >= start && offset <= end;
const endsOf = ({ positions }: TopicNow): readonly number[] => positions.map(({ end }) => end);

function readOf(record: LogRecord, partitions: number): Read {
  try {
    return { record, change: changeOf(record, partitions) };
  } catch (error) {
    if (isHeddleError(error, "ONLINE_RECORD_INVALID")) return { record, error };
    throw error;
  }
}

/** Those from the first on that may be applied in one write; the first may. */
function nextReady(waiting: readonly Read[], progress: Progress): readonly Read[] {
  let bytes = 0;
  const stop = waiting.findIndex((read, at) => {
    bytes += read.record.value.length;
    const full = at > 0 && (at === recordsAtOnceMax || bytes > bytesAtOnceMax);
    return full || !isReady(read, progress);
  });
  return stop < 0 ? waiting : waiting.slice(0, stop);
}

/** Records before it in its own partition are applied with it or before it. */
function isReady({ record, change }: Read, progress: Progress): boolean {
  return change === undefined || progress.has(change.after.with(record.partition, 0));
}

/** Appends what is of no use to the dead letters, before the offset moves: a death between both writes it there again. */
async function bury(deps: FeedDeps, reads: readonly Read[], signal: AbortSignal): Promise<void> {
  const useless = reads.flatMap((read) =>
    read.change === undefined
      ? { record: read.record, reason: `${read.error.reason}: ${read.error.message}` }
      : [],
  );
  if (useless.length > 0) {
    await insist(() => deps.log.deadLetter(onlineTopic, useless), deps, signal, deps.problem);
  }
}

function topicReplaced(): HeddleError {
  return new HeddleError(
    "OUT_OF_RANGE",
    "OFFSET_GONE",
    `topic ${onlineTopic} is another one than before: it was removed and made anew, and its offsets are of other records`,
  );
}
