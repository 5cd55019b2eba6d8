import { assert, HeddleError, within } from "@heddle/base";
import { letterBytesMax } from "../../dead-letter.ts";
import { recordBytes } from "../../layout.ts";
import type { NewRecord } from "../../port.ts";
import type { ClientOptions } from "../client.ts";
import { isUnauthenticated, kafkaError, type Place } from "../errors.ts";
import { openSender, type Sender, sendWithin, type WriterDeps } from "./sender.ts";
import { maxMessageBytes } from "../suitable.ts";

/** A record and its partition. */
interface Placed {
  readonly record: NewRecord;
  readonly partition: number;
}

/** Appends to one topic. */
export interface Writer extends AsyncDisposable {
  append(records: readonly Placed[]): Promise<void>;
}

/** For what is under way when the log is closed. */
const closeWithinMs = 3_000;
/** Of one batch, which is what a partition takes whole. */
const batchBytesMax = 1_500_000;
assert(Math.max(batchBytesMax, letterBytesMax) < maxMessageBytes, "a topic takes what is appended");
const sendBytesMax = 6_000_000;
/** What waits beyond it is refused, so that a log that is away does not fill the memory. */
const waitingBytesMax = 64 << 20;

/** What is sent together: some records of one append, in the order they came. */
interface Piece {
  /** The same for all pieces of one append. */
  readonly append: { failed?: HeddleError };
  readonly records: readonly Placed[];
  readonly bytes: number;
  readonly done: PromiseWithResolvers<void>;
}

/**
 * The writer of one topic. One send is under way at a time, and what comes meanwhile is sent together with the next: the broker
 * recognises a repeated send to a partition by its number alone, so a second one beside it could be taken for it and be lost. A producer whose
 * send failed is left, for nobody knows which number comes next.
 *
 * @param compacted whether an empty value is sent as none, which has the brokers remove its key.
 * @source Kafka KIP-98: producer ids and sequence numbers of batches.
 */
export function openWriter(
  topic: string,
  compacted: boolean,
  options: ClientOptions,
  place: Place,
  deps: WriterDeps,
): Writer {
  const queue: Piece[] = [];
  let waitingBytes = 0;
  let sender: Sender | undefined;
  let sending: Promise<void> | undefined;
  let closed = false;

  const sendNext = async (pieces: readonly Piece[]): Promise<void> => {
    sender ??= openSender(options);
    try {
      await sendWithin(deps, sender, send(sender.producer, topic, compacted, pieces));
      for (const { done } of pieces) done.resolve();
    } catch (error) {
      const failed = sender.producer;
      sender = undefined;
      const shown = outcomeUnknown(kafkaError(error, place));
      for (const { append, done } of pieces) {
        append.failed = shown;
        done.reject(shown);
      }
      await failed.close(true).catch(() => undefined);
    } finally {
      waitingBytes -= bytesOf(pieces);
    }
  };
  const sendAll = async (): Promise<void> => {
    for (let pieces = nextSend(queue); pieces.length > 0; pieces = nextSend(queue)) {
      if (closed) for (const { append } of pieces) append.failed ??= logClosed(topic, place);
      // What follows a piece that failed is not sent: it would stand before it.
      const lost = pieces.filter(({ append }) => append.failed !== undefined);
      for (const { append, done } of lost) done.reject(append.failed);
      waitingBytes -= bytesOf(lost);
      const whole = pieces.filter(({ append }) => append.failed === undefined);
      if (whole.length > 0) await sendNext(whole);
    }
    sending = undefined;
  };
  return {
    append: async (records) => {
      if (closed) throw logClosed(topic, place);
      const pieces = piecesOf(records);
      const bytes = bytesOf(pieces);
      if (waitingBytes > 0 && waitingBytes + bytes > waitingBytesMax) throw logBusy(topic, place);
      waitingBytes += bytes;
      queue.push(...pieces);
      sending ??= sendAll();
      await Promise.all(pieces.map(({ done }) => done.promise));
    },
    [Symbol.asyncDispose]: async () => {
      // What is under way may end; a log that is away may not keep us.
      if (sending) await within(closeWithinMs, sending, deps.clock);
      closed = true;
      await sender?.producer.close(true).catch(() => undefined);
    },
  };
}

async function send(
  producer: Sender["producer"],
  topic: string,
  compacted: boolean,
  pieces: readonly Piece[],
): Promise<void> {
  const messages = pieces.flatMap(({ records }) =>
    records.map(({ record: { key, value, headers }, partition }) => ({
      ...{ topic, partition },
      key: Buffer.from(key),
      value:
        compacted && value.byteLength === 0
          ? null
          : Buffer.from(value.buffer, value.byteOffset, value.byteLength),
      headers: headersOf(headers),
    })),
  );
  // What goes to one broker is tried again as one, at who leads the first of its partitions by then: the others would be refused there.
  const each = Map.groupBy(messages, ({ partition }) => partition);
  await Promise.all([...each.values()].map((some) => producer.send({ messages: some })));
}

function headersOf(headers: NewRecord["headers"]): Map<Buffer, Buffer> {
  return new Map(
    Object.entries(headers).map(([name, value]) => [Buffer.from(name), Buffer.from(value)]),
  );
}

/** The records of one append in pieces of which each fits a batch of its partition. */
function piecesOf(records: readonly Placed[]): readonly Piece[] {
  const append = {};
  const pieces: Piece[] = [];
  for (let at = 0; at < records.length;) {
    const filled = new Map<number, number>();
    const start = at;
    let bytes = 0;
    for (; at < records.length; at++) {
      const { record, partition } = records[at] as Placed;
      const size = recordBytes(record) + recordOverheadBytes;
      const full = (filled.get(partition) ?? 0) + size;
      if (at > start && (full > batchBytesMax || bytes + size > sendBytesMax)) break;
      filled.set(partition, full);
      bytes += size;
    }
    const done = Promise.withResolvers<void>();
    pieces.push({ append, records: records.slice(start, at), bytes, done });
  }
  return pieces;
}

/** Lengths, offset and time of a record; and a little for its headers' lengths. */
const recordOverheadBytes = 100;

/** Takes from the queue's front what goes in one send, none when it is empty. */
function nextSend(queue: Piece[]): readonly Piece[] {
  let bytes = 0;
  let count = 0;
  // A batch is of one partition: all of a send in one is the worst that can be.
  for (const piece of queue) {
    if (count > 0 && bytes + piece.bytes > batchBytesMax) break;
    bytes += piece.bytes;
    count++;
  }
  return queue.splice(0, count);
}

const bytesOf = (pieces: readonly Piece[]): number =>
  pieces.reduce((sum, { bytes }) => sum + bytes, 0);

/** After a failure on the way nobody can say how far the records came: a try before the last one may have brought them. */
function outcomeUnknown(error: HeddleError): HeddleError {
  if (error.code !== "UNAVAILABLE" && !isUnauthenticated(error.cause)) return error;
  return new HeddleError(
    error.code,
    error.reason,
    `${error.message}; the records may be in the log all the same: append them again, consumers drop what they know`,
    { cause: error },
  );
}

function logClosed(topic: string, { brokers }: Place): HeddleError {
  return new HeddleError(
    "UNAVAILABLE",
    "LOG_UNAVAILABLE",
    `topic ${topic} at Kafka ${brokers.join(", ")} was not appended to: this process is ending`,
  );
}

function logBusy(topic: string, { brokers }: Place): HeddleError {
  return new HeddleError(
    "RESOURCE_EXHAUSTED",
    "LOG_FULL",
    `topic ${topic} at Kafka ${brokers.join(", ")} has ${waitingBytesMax} bytes that wait to be sent: append less at once, or check why it is slow; nothing was appended`,
  );
}
