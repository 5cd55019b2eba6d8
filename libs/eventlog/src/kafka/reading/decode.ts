import type { Consumer } from "@platformatic/kafka";
import { type LogRecord, unreadableHeader } from "../../port.ts";
import type { BatchHead } from "./batch-head.ts";
import { unpackedBytesMax } from "./unpacking.ts";

export interface Fetched {
  readonly partition: number;
  readonly records: readonly LogRecord[];
  /** Where the next fetch goes on: behind the records, and behind what only transactions left. */
  readonly next: number;
  /** What a record took on its way, all in all; undefined where none came. */
  readonly recordBytes: number | undefined;
}

const controlBit = 1 << 5;
const transactionalBit = 1 << 4;
const appendTimeBit = 1 << 3;

/** What a broker answers of one partition. */
export type Part = Awaited<
  ReturnType<Consumer["fetch"]>
>["responses"][number]["partitions"][number];
type Batch = NonNullable<Part["records"]>[number];

/** The records of a partition from an offset on. */
export function decoded(
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

/** One record that stands for all of a batch which nobody may unpack. */
export function unreadable(
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
