import { type Consumer, FetchIsolationLevels } from "@platformatic/kafka";
import type { LogRecord } from "../../port.ts";

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
  /** Before it all is decided: no transaction is open. */
  readonly end: number;
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
 * left out here, for the client hands them over.
 *
 * @param name the topic as its readers know it.
 * @param waitMs for the first record to come.
 */
export async function fetchRecords(
  consumer: Consumer,
  topic: string,
  name: string,
  wanted: readonly Wanted[],
  waitMs: number,
): Promise<readonly Fetched[]> {
  // The client asks for all topics that it tracks, and fails when one of them is gone.
  if (!consumer.topics.has(topic) || consumer.topics.size > 1) {
    consumer.topics.clear();
    consumer.topics.track(topic);
  }
  const { topics } = await consumer.metadata({ topics: [topic] });
  const layout = topics.get(topic);
  const byLeader = Map.groupBy(
    wanted,
    ({ partition }) => layout?.partitions[partition]?.leader ?? -1,
  );
  const answers = [...byLeader].map(async ([node, some]) => {
    const { responses } = await consumer.fetch({
      node,
      topics: [{ topicId: layout?.id ?? "", partitions: some.map(asked) }],
      ...{ maxWaitTime: waitMs, minBytes: 1, maxBytes: answerBytesMax },
      isolationLevel: FetchIsolationLevels.READ_COMMITTED,
    });
    const parts = responses.flatMap(({ partitions }) => partitions);
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
  const end = Number(part?.lastStableOffset ?? -1n);
  return { partition, records, next, end, recordBytes: recordBytesOf(part?.records ?? []) };
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
