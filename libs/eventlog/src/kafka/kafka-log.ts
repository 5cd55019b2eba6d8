import { type Backoff, type Clock, defaultBackoff } from "@heddle/base";
import { Admin } from "@platformatic/kafka";
import { letterBytesMax, letterOf } from "../dead-letter.ts";
import { checkLimit } from "../errors.ts";
import { follow } from "../following.ts";
import { checkSize, checkTopic } from "../layout.ts";
import { type EventLog, type NewRecord, recordBytesMax } from "../port.ts";
import type { Handle } from "../subscription.ts";
import { isCompacted, lettersOf } from "../topics.ts";
import { type KafkaAddress, parseKafkaUrl } from "./address.ts";
import { clientOptions, type KafkaUser } from "./client.ts";
import { kafkaError } from "./errors.ts";
import { openFollowedTopic } from "./reading/followed-topic.ts";
import { consumeInGroup } from "./reading/group.ts";
import { partitionOf } from "./partition.ts";
import { openReader, type Reader } from "./reading/reader.ts";
import { openTopics, type Topics } from "./topics.ts";
import { boundUnpacking } from "./reading/unpacking.ts";
import { openWriters, type Writers } from "./writing/writers.ts";

export interface KafkaLogDeps {
  /** `kafka://host:port[,host:port][/prefix][?setting=value]`: see `parseKafkaUrl`. */
  readonly url: string;
  /** Who this is at the brokers; nobody when absent. */
  readonly user?: KafkaUser;
  readonly clock: Clock;
  /** Uniform in [0, 1): spreads the tries of failing handlers. */
  readonly random: () => number;
  /** Between the tries of a handler, and of a subscription whose log is away. */
  readonly backoff?: Backoff;
  /** A consumer that is silent for so long has lost its partitions; 10 s when absent. */
  readonly sessionTimeoutMs?: number;
  /** An append that the brokers did not take by then is given up; 30 s when absent, in which a broker is back. */
  readonly appendWithinMs?: number;
}

/** The event log on Kafka, which may be away. */
export interface KafkaLog extends EventLog {
  /**
   * Whether the brokers answer now, to this user.
   *
   * @throws {HeddleError} UNAVAILABLE LOG_UNAVAILABLE; PERMISSION_DENIED LOG_FORBIDDEN.
   */
  check(): Promise<void>;
}

/** The parts of an open log. Within it topics have the names that the brokers know: with the prefix. */
interface Parts {
  readonly deps: Required<Omit<KafkaLogDeps, "user" | "url">> & KafkaLogDeps;
  readonly address: KafkaAddress;
  readonly admin: Admin;
  readonly topics: Topics;
  readonly reader: Reader;
  readonly writers: Writers;
}

const defaults = { backoff: defaultBackoff, sessionTimeoutMs: 10_000, appendWithinMs: 30_000 };
/** Of reads and of changes of topics, which may be repeated. */
const triesMax = 5;

/**
 * The event log on Kafka. Opens at once, whether the brokers are there or not: what needs them says so, and works once they are back.
 *
 * @throws {HeddleError} INVALID_ARGUMENT LOG_URL_INVALID.
 */
export function openKafkaLog(given: KafkaLogDeps): KafkaLog {
  boundUnpacking();
  const parts = openParts({ ...defaults, ...given });
  const { address, topics, reader, writers, admin } = parts;
  const full = (name: string): string => `${address.prefix}${name}`;
  const append = appendBy(parts);
  const { subscribe, follow, end } = consumersOf(parts, append);
  return {
    append: (topic, batch) => append(topic, batch),
    deadLetter: (topic, useless) => {
      const letters = useless.map(({ record, reason }) => letterOf(record, reason));
      return append(lettersOf(topic), letters, letterBytesMax);
    },
    read: async (name, partition, offset, limit) => {
      checkTopic(name);
      checkLimit(limit);
      const partitions = (await topics.partitionsOf(full(name))) ?? 0;
      if (partition >= partitions) return [];
      return await reader.read(full(name), name, partition, offset, limit);
    },
    positions: async (name) => {
      if ((await topics.partitionsOf(full(name))) === undefined) return [];
      return await reader.positions(full(name));
    },
    trim: (name, partition, offset) => trim(parts, full(name), partition, offset),
    topics: async () => {
      const all = await topics.list();
      return all
        .filter((topic) => topic.startsWith(address.prefix) && !topic.startsWith("__"))
        .map((topic) => topic.slice(address.prefix.length))
        .sort();
    },
    subscribe,
    follow,
    check: () => topics.check(),
    [Symbol.asyncDispose]: async () => {
      await end();
      await writers[Symbol.asyncDispose]();
      await reader[Symbol.asyncDispose]();
      await admin.close();
    },
  };
}

function openParts(deps: Parts["deps"]): Parts {
  const address = parseKafkaUrl(deps.url);
  const { brokers } = address;
  const admin = new Admin(clientOptions(address, deps.user, triesMax));
  return {
    ...{ deps, address, admin },
    topics: openTopics(admin, address.topics, { brokers }),
    reader: openReader(clientOptions(address, deps.user, triesMax), { brokers }),
    writers: openWriters(address, deps),
  };
}

/** @param bytesMax of a record; that of the port when absent. */
type Append = (topic: string, batch: readonly NewRecord[], bytesMax?: number) => Promise<void>;

function appendBy({ address, topics, writers }: Parts): Append {
  return async (name, batch, bytesMax = recordBytesMax) => {
    checkTopic(name);
    for (const record of batch) checkSize(name, record, bytesMax);
    if (batch.length === 0) return;
    const topic = `${address.prefix}${name}`;
    const compacted = isCompacted(name);
    const partitions = await topics.ensure(topic, compacted);
    await writers
      .of(topic, compacted)
      .append(batch.map((record) => ({ record, partition: partitionOf(record.key, partitions) })));
  };
}

async function trim(
  { reader, topics, admin, address }: Parts,
  topic: string,
  partition: number,
  offset: number,
): Promise<void> {
  if ((await topics.partitionsOf(topic)) === undefined) return;
  const { start, end } = await reader.position(topic, partition);
  const upTo = Math.min(offset, end);
  if (upTo <= start) return;
  try {
    await admin.deleteRecords({
      topics: [{ name: topic, partitions: [{ partition, offset: BigInt(upTo) }] }],
    });
  } catch (error) {
    throw kafkaError(error, { brokers: address.brokers, topic });
  }
}

/** What consumes the log until it is closed. */
function consumersOf(parts: Parts, append: Append) {
  const { deps, address, topics, reader } = parts;
  const closing = new AbortController();
  const running = new Set<Promise<unknown>>();
  const untilClosed = async (
    signal: AbortSignal,
    consumed: (signal: AbortSignal) => Promise<void>,
  ): Promise<void> => {
    const mine = consumed(AbortSignal.any([signal, closing.signal]));
    running.add(mine);
    try {
      await mine;
    } finally {
      running.delete(mine);
    }
  };
  // Whoever consumes knows best what a failure means for it: nothing is tried again below.
  const options = clientOptions(address, deps.user, 0);
  const place = { brokers: address.brokers };
  const subscribe: EventLog["subscribe"] = async (wanted, handle: Handle, signal) => {
    checkTopic(wanted.topic);
    checkTopic(wanted.group);
    const topic = `${address.prefix}${wanted.topic}`;
    const membership = {
      ...{ ...deps, reader, topic, options, place },
      group: `${address.prefix}${wanted.group}`,
      prepare: () => topics.ensure(topic, isCompacted(wanted.topic)),
      bury: (letter: NewRecord) => append(lettersOf(wanted.topic), [letter], letterBytesMax),
    };
    await untilClosed(signal, (stop) => consumeInGroup(wanted, handle, membership, stop));
  };
  const followTopic: EventLog["follow"] = async (name, follower, signal) => {
    checkTopic(name);
    const topic = `${address.prefix}${name}`;
    const open = () => openFollowedTopic(topic, name, { topics, reader, options, place });
    await untilClosed(signal, (stop) => follow(name, open, follower, deps, stop));
  };
  const end = async (): Promise<void> => {
    closing.abort();
    await Promise.allSettled(running);
  };
  return { subscribe, follow: followTopic, end };
}
