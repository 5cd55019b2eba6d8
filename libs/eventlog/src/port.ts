/** A record as its producer writes it. */
export interface NewRecord {
  /** The aggregate's id: records with one key stay in order. */
  readonly key: string;
  readonly value: Uint8Array;
  /** CloudEvents attributes (`ce_id`, `ce_type`, …) and `traceparent`. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface LogRecord extends NewRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timeMs: number;
}

export interface SubscribeOptions {
  readonly topic: string;
  /** Consumers of one group share the records; the group's offset is durable. */
  readonly group: string;
  /** Handler tries before a record goes to `<topic>.dead-letter`; 3 when absent. */
  readonly triesMax?: number;
}

/** A record, and why nobody can use it. */
export interface UselessRecord {
  readonly record: LogRecord;
  readonly reason: string;
}

/** What a partition holds: the records with offsets from `start` to before `end`. */
export interface Position {
  readonly start: number;
  readonly end: number;
}

/** The event log port: ordered topics, at-least-once delivery, durable consumer offsets. */
export interface EventLog {
  /**
   * Appends records, all or none, in order. When the promise resolves they survive a power cut.
   *
   * @throws {HeddleError} INVALID_ARGUMENT RECORD_TOO_LARGE above `recordBytesMax`.
   * @throws {HeddleError} RESOURCE_EXHAUSTED LOG_FULL when the disk or the map is full.
   */
  append(topic: string, records: readonly NewRecord[]): Promise<void>;
  /**
   * Records of a topic from `offset` on, at most `limit`; an empty list at the end.
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
   * Resolves when the signal aborts.
   */
  subscribe(
    options: SubscribeOptions,
    handle: (record: LogRecord, signal: AbortSignal) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void>;
  topics(): Promise<readonly string[]>;
  /**
   * Appends records of a topic that are of no use to its dead letters, `<topic>.dead-letter`, each with why. The largest record has
   * room there.
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

export const recordBytesMax = 1 << 20;
/** Records of one read. */
export const readLimitMax = 1_000;
