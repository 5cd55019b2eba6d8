import { present } from "@heddle/base";
import { type Consumer, FetchIsolationLevels } from "@platformatic/kafka";
import { type LogRecord, unreadableHeader } from "../../port.ts";
import type { ClientOptions } from "../client.ts";
import { hasApiId, isBatchTooLarge } from "../errors.ts";
import { type BatchHead, readBatchHead } from "./batch-head.ts";
import { unpackedBytesMax } from "./unpacking.ts";

/** What fetches. */
export interface FetchClient {
  /** Of no group. */
  readonly consumer: Consumer;
  /** It was made with these. */
  readonly options: ClientOptions;
}

/** A partition of a topic and the offset of the first record wanted. */
export interface Wanted {
  readonly partition: number;
  readonly offset: number;
  /** Of what the broker may send; `partitionBytesMax` when absent. One batch comes in any case. */
  readonly bytesMax?: number;
}

export interface Fetched {
  readonly partition: number;
  readonly records: readonly LogRecord[];
  /** Where the next fetch goes on: behind the records, and behind what only transactions left. */
  readonly next: number;
  /** What a record took on its way, all in all; undefined where none came. */
  readonly recordBytes: number | undefined;
}

export const partitionBytesMax = 2 << 20;
const answerBytesMax = 8 << 20;
const controlBit = 1 << 5;
const transactionalBit = 1 << 4;
const appendTimeBit = 1 << 3;

/**
 * What the brokers have of some partitions of one topic, from given offsets on; without a group. Records of aborted transactions are
 * left out here, for the client hands them over. Of a batch that grows beyond `unpackedBytesMax` there is one record, without key and
 * value, that says so.
 *
 * @param name the topic as its readers know it.
 * @param waitMs for the first record to come.
 */
export async function fetchRecords(
  client: FetchClient,
  topic: string,
  name: string,
  wanted: readonly Wanted[],
  waitMs: number,
): Promise<readonly Fetched[]> {
  const { consumer } = client;
  // The client asks for all topics that it tracks, and fails when one of them is gone.
  if (!consumer.topics.has(topic) || consumer.topics.size > 1) {
    consumer.topics.clear();
    consumer.topics.track(topic);
  }
  const { topics, brokers } = await consumer.metadata({ topics: [topic] });
  const layout = topics.get(topic);
  const byLeader = Map.groupBy(
    wanted,
    ({ partition }) => layout?.partitions[partition]?.leader ?? -1,
  );
  const answers = [...byLeader].map(async ([node, some]) => {
    const topicId = layout?.id ?? "";
    let parts: readonly Part[];
    try {
      parts = await fetchParts(consumer, node, topicId, some, waitMs);
    } catch (error) {
      if (!isBatchTooLarge(error)) throw error;
      const [first] = some;
      if (some.length > 1 || first?.bytesMax !== oneBatch) {
        return await oneByOne(client, topic, name, some);
      }
      const broker = present(brokers.get(node), `broker ${node} answered`);
      const { partition, offset } = first;
      const head = await readBatchHead({ broker, topicId, partition }, offset, client.options);
      return [unreadable(name, partition, head)];
    }
    return some.map(({ partition, offset }) =>
      decoded(
        name,
        partition,
        offset,
        parts.find((part) => part.partitionIndex === partition),
      ),
    );
  });
  return (await Promise.all(answers)).flat();
}

/** The broker sends at least one. */
const oneBatch = 1;

/** Each partition for itself, a batch of it: so one that cannot be read is told from those around it. */
async function oneByOne(
  client: FetchClient,
  topic: string,
  name: string,
  wanted: readonly Wanted[],
): Promise<readonly Fetched[]> {
  const fetched: Fetched[] = [];
  for (const { partition, offset } of wanted) {
    const one = [{ partition, offset, bytesMax: oneBatch }];
    fetched.push(...(await fetchRecords(client, topic, name, one, 0)));
  }
  return fetched;
}

function unreadable(
  topic: string,
  partition: number,
  { firstOffset, lastOffset, timeMs, bytes }: BatchHead,
): Fetched {
  const why = `records ${firstOffset} to ${lastOffset} are a batch of ${bytes} bytes that grows beyond ${unpackedBytesMax} when it is unpacked`;
  const record = {
    ...{ topic, partition, offset: lastOffset, timeMs },
    ...{ key: "", value: new Uint8Array(), headers: { [unreadableHeader]: why } },
  };
  return { partition, records: [record], next: lastOffset + 1, recordBytes: undefined };
}

async function fetchParts(
  consumer: Consumer,
  node: number,
  topicId: string,
  wanted: readonly Wanted[],
  waitMs: number,
): Promise<readonly Part[]> {
  const fetch = () =>
    consumer.fetch({
      node,
      topics: [{ topicId, partitions: wanted.map(asked) }],
      ...{ maxWaitTime: waitMs, minBytes: 1, maxBytes: answerBytesMax },
      isolationLevel: FetchIsolationLevels.READ_COMMITTED,
    });
  const answer = await fetch().catch((error: unknown) => {
    // An answer that could not be read was one more of its session for the broker alone; the client begins another one then.
    if (hasApiId(error, "INVALID_FETCH_SESSION_EPOCH")) return fetch();
    throw error;
  });
  return answer.responses.flatMap(({ partitions }) => partitions);
}

const asked = ({ partition, offset, bytesMax = partitionBytesMax }: Wanted) => ({
  partition,
  fetchOffset: BigInt(offset),
  currentLeaderEpoch: -1,
  lastFetchedEpoch: -1,
  partitionMaxBytes: bytesMax,
});

type Part = Awaited<ReturnType<Consumer["fetch"]>>["responses"][number]["partitions"][number];
type Batch = NonNullable<Part["records"]>[number];

function decoded(
  topic: string,
  partition: number,
  offset: number,
  part: Part | undefined,
): Fetched {
  const records: LogRecord[] = [];
  let next = offset;
  const aborted = abortedIn(part);
  for (const batch of part?.records ?? []) {
    next = Math.max(next, Number(batch.firstOffset) + batch.lastOffsetDelta + 1);
    if (!aborted.leaves(batch)) continue;
    for (const record of batch.records) {
      const at = Number(batch.firstOffset) + record.offsetDelta;
      // A batch begins before the offset that was asked for when that lies within it.
      if (at >= offset) records.push(recordOf(topic, partition, at, batch, record));
    }
  }
  return { partition, records, next, recordBytes: recordBytesOf(part?.records ?? []) };
}

function recordBytesOf(batches: readonly Batch[]): number | undefined {
  const bytes = batches.reduce((sum, { length }) => sum + length, 0);
  const records = batches.reduce((sum, batch) => sum + batch.records.length, 0);
  return records === 0 ? undefined : bytes / records;
}

/** Which batches count: no markers, and none of a transaction that was aborted. */
function abortedIn(part: Part | undefined): { leaves(batch: Batch): boolean } {
  const begun = [...(part?.abortedTransactions ?? [])].sort((a, b) =>
    Number(a.firstOffset - b.firstOffset),
  );
  const open = new Set<bigint>();
  return {
    leaves: (batch) => {
      const last = batch.firstOffset + BigInt(batch.lastOffsetDelta);
      while (begun[0] !== undefined && begun[0].firstOffset <= last) {
        open.add(begun[0].producerId);
        begun.shift();
      }
      if ((batch.attributes & controlBit) !== 0) {
        // The marker that ends the transaction; of an aborted one, or of none that is here.
        open.delete(batch.producerId);
        return false;
      }
      return (batch.attributes & transactionalBit) === 0 || !open.has(batch.producerId);
    },
  };
}

function recordOf(
  topic: string,
  partition: number,
  offset: number,
  batch: Batch,
  { key, value, headers, timestampDelta }: Batch["records"][number],
): LogRecord {
  const byLog = (batch.attributes & appendTimeBit) !== 0;
  return {
    ...{ topic, partition, offset },
    timeMs: Number(byLog ? batch.maxTimestamp : batch.firstTimestamp + timestampDelta),
    key: key?.toString() ?? "",
    value: copyOf(value),
    headers: Object.fromEntries(
      headers.map(([name, text]) => [String(name ?? ""), String(text ?? "")]),
    ),
  };
}

/** A slice would keep the whole answer of the broker. Small ones share 8 KiB, for memory of its own costs more than the copy. */
function copyOf(value: Buffer | null | undefined): Uint8Array {
  const copy = Buffer.from(value ?? []);
  return new Uint8Array(copy.buffer, copy.byteOffset, copy.byteLength);
}
