import { type Broker, Connection, createAPI, fetchV13, type Reader } from "@platformatic/kafka";
import type { ClientOptions } from "../client.ts";

/** The head of a batch, which is never compressed. */
export interface BatchHead {
  readonly lastOffset: number;
  readonly timeMs: number;
  /** As it lies at the broker. */
  readonly bytes: number;
  readonly firstOffset: number;
}

/** A partition at the broker that leads it. */
export interface Lead {
  readonly broker: Broker;
  readonly topicId: string;
  readonly partition: number;
}

/** One that is there comes at once. */
const waitMs = 0;
/** Of no fetch session: it asks once. */
const noSession = -1;
const [fetchKey, fetchVersion] = [1, 13];

/**
 * Reads the head of the batch that has the record at an offset, and unpacks nothing: the client's own fetch would, whatever it grows to.
 *
 * @throws {Error} when there is none; as the client does.
 */
export async function readBatchHead(
  { broker, topicId, partition }: Lead,
  offset: number,
  options: ClientOptions,
): Promise<BatchHead> {
  const connection = new Connection(options.clientId, options);
  try {
    await connection.connect(broker.host, broker.port);
    const place = { partition, currentLeaderEpoch: -1, lastFetchedEpoch: -1 };
    // The first batch comes whole, however small the bound is.
    const wanted = { ...place, fetchOffset: BigInt(offset), partitionMaxBytes: 1 };
    const topics = [{ topicId, partitions: [wanted] }];
    const head = await fetchHead.async(connection, waitMs, 1, 1, 0, 0, noSession, topics, [], "");
    if (head === undefined)
      throw new Error(`no batch at offset ${offset} of partition ${partition}`);
    return head;
  } finally {
    await connection.close();
  }
}

const fetchHead = createAPI<fetchV13.FetchRequest, BatchHead | undefined>(
  fetchKey,
  fetchVersion,
  fetchV13.createRequest,
  (_correlation, _key, _version, reader) => headIn(reader),
);

/**
 * The head of the first batch in an answer of one partition.
 *
 * @source FetchResponse.json of Apache Kafka, version 13; `DefaultRecordBatch` for what a batch begins with.
 */
function headIn(reader: Reader): BatchHead | undefined {
  reader.readInt32(); // throttle time
  const error = reader.readInt16();
  reader.readInt32(); // session
  if (error !== 0 || reader.readUnsignedVarInt() !== oneEntry) return undefined;
  reader.readUUID();
  if (reader.readUnsignedVarInt() !== oneEntry) return undefined;
  reader.readInt32(); // partition
  if (reader.readInt16() !== 0) return undefined;
  reader.readInt64(); // high watermark
  reader.readInt64(); // last stable offset
  reader.readInt64(); // start of the log
  reader.readNullableArray((transaction) => [transaction.readInt64(), transaction.readInt64()]);
  reader.readInt32(); // preferred replica
  if (reader.readUnsignedVarInt() <= batchHeadBytes) return undefined;
  const firstOffset = Number(reader.readInt64());
  const bytes = reader.readInt32();
  reader.readInt32(); // epoch of the leader
  reader.readInt8(); // magic
  reader.readUnsignedInt32(); // checksum
  reader.readInt16(); // attributes
  const lastOffset = firstOffset + reader.readInt32();
  reader.readInt64(); // time of the first record
  return { firstOffset, lastOffset, bytes, timeMs: Number(reader.readInt64()) };
}

/** The length of a compact array is written as one more. */
const oneEntry = 2;
const batchHeadBytes = 61;
