/** A record as its producer writes it. */
export interface NewRecord {
  /** The aggregate's id: records with one key stay in order. */
  readonly key: string;
  readonly value: Uint8Array;
  /** CloudEvents attributes (`ce_id`, `ce_type`, …) and `traceparent`. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * A record as it lies in the log. One that has no key, no value and the header `unreadableHeader` stands for records that nobody here can
 * read: it has the offset of the last of them, and is of no use, as any other that is none.
 */
export interface LogRecord extends NewRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timeMs: number;
}

export interface SubscribeOptions {
  readonly topic: string;
  /** Consumers of one group share the partitions; the group's offset is durable. A new group begins where the partitions do. */
  readonly group: string;
  /** Handler tries before a record goes to `<topic>.dead-letter`; 3 when absent. */
  readonly triesMax?: number;
}

/** A record, and why nobody can use it. */
export interface UselessRecord {
  readonly record: LogRecord;
  readonly reason: string;
}

/** What a partition holds: its records have offsets from `start` to before `end`. */
export interface Position {
  readonly start: number;
  readonly end: number;
}

/** A topic as it stands when a follower begins. */
export interface TopicNow {
  /** Another one when the topic was removed and made anew: then its offsets mean other records. */
  readonly id: string;
  readonly positions: readonly Position[];
}

/** A consumer that keeps its own offsets, beside what it makes of the records: both move in one write. */
export interface Follower {
  /** Where it goes on in each partition. Asked when it starts, and again after an outage. */
  begin(topic: TopicNow): Promise<readonly number[]>;
  /** Some records of one partition, in order; the next come after it. Partitions come side by side. */
  handle(partition: number, records: readonly LogRecord[], signal: AbortSignal): Promise<void>;
}

/**
 * The event log port: topics of partitions, at-least-once delivery, durable consumer offsets. A key keeps its partition, and records of
 * one partition their order. Offsets ascend; some may hold no record.
 *
 * A topic that `isCompacted` names keeps at least the newest record of each key, for as long as there is the topic; there a record of an
 * empty value removes its key, and goes itself when consumers had `removalsKeptMs` to see it.
 */
export interface EventLog {
  /**
   * Appends records in order, each once. When the promise resolves they survive the death of this process and of its machine: they are
   * flushed, or on as many other machines as the topic asks for.
   *
   * What is refused is refused whole. After UNAVAILABLE alone nobody knows: some may be there, so the caller appends them again, and
   * consumers drop what they know.
   *
   * @throws {HeddleError} INVALID_ARGUMENT TOPIC_INVALID, RECORD_TOO_LARGE above `recordBytesMax`.
   * @throws {HeddleError} RESOURCE_EXHAUSTED LOG_FULL when there is no room.
   * @throws {HeddleError} UNAVAILABLE LOG_UNAVAILABLE; PERMISSION_DENIED LOG_FORBIDDEN; FAILED_PRECONDITION TOPIC_UNSUITABLE: of a log
   *   on servers of its own.
   */
  append(topic: string, records: readonly NewRecord[]): Promise<void>;
  /**
   * Records of a topic from `offset` on, at most `limit`; an empty list only when there is none up to the partition's end.
   *
   * @throws {HeddleError} OUT_OF_RANGE OFFSET_GONE when the record at `offset` was trimmed.
   */
  read(
    topic: string,
    partition: number,
    offset: number,
    limit: number,
  ): Promise<readonly LogRecord[]>;
  /**
   * Hands each record to `handle`, in order within a partition; the offset moves after it resolves.
   * A record whose handler fails `triesMax` times goes to the dead-letter topic with its reason.
   * While the log is away it waits. Resolves when the signal aborts.
   *
   * @throws {HeddleError} OUT_OF_RANGE OFFSET_GONE when what the group did not read yet is no longer there.
   */
  subscribe(
    options: SubscribeOptions,
    handle: (record: LogRecord, signal: AbortSignal) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void>;
  /**
   * Hands a topic's records to a follower, from where it says. While the log is away it waits, and then begins again; so it does when
   * the follower fails with UNAVAILABLE. Resolves when the signal aborts.
   *
   * @throws {HeddleError} OUT_OF_RANGE OFFSET_GONE when a partition does not hold what the follower wants; what the follower throws.
   */
  follow(topic: string, follower: Follower, signal: AbortSignal): Promise<void>;
  topics(): Promise<readonly string[]>;
  /**
   * Appends records of a topic that are of no use to its dead letters, `<topic>.dead-letter`, each with why. The largest record has
   * room there; of one that is larger, as others' producers may write them, the beginning.
   *
   * @throws as `append`.
   */
  deadLetter(topic: string, useless: readonly UselessRecord[]): Promise<void>;
  /** What each partition of a topic holds, by partition; none of a topic that nothing was appended to. */
  positions(topic: string): Promise<readonly Position[]>;
  /** Removes a partition's records before `offset`; what is removed already stays so. Offsets do not change. */
  trim(topic: string, partition: number, offset: number): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Says why records cannot be read. */
export const unreadableHeader = "heddle_unreadable";

export const recordBytesMax = 1 << 20;
/** Records of one read: what brokers send at once is more than a thousand small ones, and what is not taken is sent again. */
export const readLimitMax = 10_000;
