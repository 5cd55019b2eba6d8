import { type Backoff, type Clock, hash32 } from "@heddle/base";
import { failpoint } from "@heddle/failpoint";
import { type LmdbDatabase, type LmdbEnvironment, openRecord, sealRecord } from "@heddle/store";
import { letterBytesMax } from "../dead-letter.ts";
import { checkLimit, logError, offsetGone } from "../errors.ts";
import { checkTopic, decodeRecord, encodeRecord, partitionKey, recordKey } from "../layout.ts";
import type { EventLog, LogRecord, NewRecord, Position } from "../port.ts";
import { lettersOf } from "../topics.ts";

export interface LocalLogDeps {
  readonly clock: Clock;
  /** Uniform in [0, 1): spreads the tries of failing handlers. */
  readonly random: () => number;
  /** Partitions of a new topic, 1 when absent; a topic keeps the number it began with. */
  readonly partitions?: number;
  /** Between the tries of a handler. */
  readonly backoff?: Backoff;
}

const readBytesMax = 8 << 20;

/** A write holds up all others while it runs. */
const trimmedAtOnceMax = 1_000;

/** What a subscription needs of the log beside the port. */
export interface LocalLog {
  read: EventLog["read"];
  /** Where a group goes on; for a new one, where the partition begins. */
  offsetOf(group: string, topic: string, partition: number): number;
  /** Moves the group's offset, and with it, in the same write, gives up on a record. */
  move(
    group: string,
    topic: string,
    partition: number,
    offset: number,
    dead?: NewRecord,
  ): Promise<void>;
  positions: EventLog["positions"];
  /** Calls `wake` after each append to the topic, until the signal aborts. */
  onAppend(topic: string, wake: () => void, signal: AbortSignal): void;
  readonly deps: Required<LocalLogDeps>;
}

/** @param bytesMax of a record; that of the port when absent. */
type Append = (topic: string, batch: readonly NewRecord[], bytesMax?: number) => Promise<void>;

/** The tables of all topics: what is appended, read and moved, without who waits for it. */
export function openPartitions(environment: LmdbEnvironment, deps: LocalLog["deps"]) {
  const records = environment.database("log/records");
  const ends = environment.database("log/ends");
  const counts = environment.database("log/topics");
  const offsets = environment.database("log/groups");
  const listeners = new Map<string, Set<() => void>>();

  const partitionsOf = (topic: string): number => numberAt(counts, partitionKey(topic)) ?? 0;
  /** Runs inside a write. */
  const write = (topic: string, batch: readonly { key: string; sealed: Buffer }[]): void => {
    let partitions = partitionsOf(topic);
    if (partitions === 0) {
      partitions = deps.partitions;
      putNumber(counts, partitionKey(topic), partitions);
    }
    for (const { key, sealed } of batch) {
      const partition = partitions === 1 ? 0 : hash32(key) % partitions;
      const end = partitionKey(topic, partition);
      const offset = numberAt(ends, end) ?? 0;
      records.putSync(recordKey(topic, partition, offset), sealed);
      putNumber(ends, end, offset + 1);
    }
  };
  const seal = (topic: string, batch: readonly NewRecord[], bytesMax?: number) => {
    const now = deps.clock.now();
    return batch.map((record) => ({
      key: record.key,
      sealed: encodeRecord(topic, record, now, bytesMax),
    }));
  };
  const ring = (topic: string): void => listeners.get(topic)?.forEach((wake) => wake());
  const { at: positionAt, ...ranges } = openRanges(environment, records, ends, partitionsOf);
  const log: LocalLog = {
    ...{ deps, positions: ranges.positions },
    read: async (topic, partition, offset, limit) => {
      checkTopic(topic);
      checkHeld(positionAt(topic, partition), topic, partition, offset);
      return readRange(records, topic, partition, offset, limit);
    },
    offsetOf: (group, topic, partition) =>
      numberAt(offsets, partitionKey(group, topic, partition)) ??
      positionAt(topic, partition).start,
    move: async (group, topic, partition, offset, dead) => {
      const letters = lettersOf(topic);
      const batch = dead === undefined ? [] : seal(letters, [dead], letterBytesMax);
      await environment.write(bytesOf(batch), () => {
        if (batch.length > 0) write(letters, batch);
        putNumber(offsets, partitionKey(group, topic, partition), offset);
      });
      if (batch.length > 0) ring(letters);
    },
    onAppend: (topic, wake, signal) => {
      const wakes = listeners.get(topic) ?? new Set();
      listeners.set(topic, wakes.add(wake));
      signal.addEventListener("abort", () => wakes.delete(wake), { once: true });
    },
  };

  const append: Append = async (topic, batch, bytesMax) => {
    checkTopic(topic);
    const sealed = seal(topic, batch, bytesMax);
    if (sealed.length === 0) return;
    try {
      await environment.write(bytesOf(sealed), () => write(topic, sealed));
    } catch (error) {
      throw logError(error, topic);
    }
    failpoint("eventlog.append.after-write");
    ring(topic);
  };
  const topics: EventLog["topics"] = async () => [...counts.getKeys()].map((key) => key.toString());
  return { log, append, topics, partitionsOf, ...ranges };
}

/** @throws {HeddleError} OUT_OF_RANGE OFFSET_GONE. */
function checkHeld(position: Position, topic: string, partition: number, offset: number): void {
  if (offset < position.start) throw offsetGone(topic, partition, offset, position);
}

/** Where the partitions begin and end, and their fronts. */
function openRanges(
  environment: LmdbEnvironment,
  records: LmdbDatabase,
  ends: LmdbDatabase,
  partitionsOf: (topic: string) => number,
): Pick<EventLog, "positions" | "trim"> & { at(topic: string, partition: number): Position } {
  // Offsets at which partitions begin; those that are not there begin at 0.
  const starts = environment.database("log/starts");
  const at = (topic: string, partition: number): Position => {
    const key = partitionKey(topic, partition);
    return { start: numberAt(starts, key) ?? 0, end: numberAt(ends, key) ?? 0 };
  };
  return {
    at,
    positions: async (topic) =>
      Array.from({ length: partitionsOf(topic) }, (_, partition) => at(topic, partition)),
    trim: async (topic, partition, offset) => {
      const { start, end } = at(topic, partition);
      const upTo = Math.min(offset, end);
      for (let from = start; from < upTo;) {
        const next = Math.min(upTo, from + trimmedAtOnceMax);
        // The start moves in the same write: what is gone is never read as an empty partition.
        await environment.write(0, () => {
          for (let at = from; at < next; at++) records.removeSync(recordKey(topic, partition, at));
          putNumber(starts, partitionKey(topic, partition), next);
        });
        from = next;
      }
    },
  };
}

function readRange(
  records: LmdbDatabase,
  topic: string,
  partition: number,
  offset: number,
  limit: number,
): readonly LogRecord[] {
  checkLimit(limit);
  const start = recordKey(topic, partition, offset);
  const end = recordKey(topic, partition, Number.MAX_SAFE_INTEGER);
  const found: LogRecord[] = [];
  let bytes = 0;
  for (const { key, value } of records.getRange({ start, end, limit })) {
    found.push(decodeRecord(topic, key, value));
    bytes += value.length;
    if (bytes >= readBytesMax) break;
  }
  return found;
}

function bytesOf(batch: readonly { sealed: Buffer }[]): number {
  return batch.reduce((sum, { sealed }) => sum + sealed.length, 0);
}

function numberAt(database: LmdbDatabase, key: Buffer): number | undefined {
  const sealed = database.getBinary(key);
  return sealed && openRecord(sealed, `position ${key.toString().replaceAll("\0", "/")}`).number;
}

function putNumber(database: LmdbDatabase, key: Buffer, number: number): void {
  database.putSync(key, sealRecord(number));
}
