import { startTurns } from "@heddle/base";
import { Consumer, FetchIsolationLevels, ListOffsetTimestamps } from "@platformatic/kafka";
import { offsetGone } from "../../errors.ts";
import type { LogRecord, Position } from "../../port.ts";
import type { ClientOptions } from "../client.ts";
import { hasApiId, kafkaError, type Place } from "../errors.ts";
import { fetchRecords, partitionBytesMax } from "./fetch.ts";

/** Reads topics by partition and offset; no group of consumers knows of it. */
export interface Reader extends AsyncDisposable {
  /** Records from `offset` on; none at the end. */
  read(
    topic: string,
    name: string,
    partition: number,
    offset: number,
    limit: number,
  ): Promise<readonly LogRecord[]>;
  positions(topic: string): Promise<readonly Position[]>;
  /** Of one partition; nothing where there is none. */
  position(topic: string, partition: number): Promise<Position>;
}

/** Of a topic of which nothing was read. */
const recordBytesGuess = 1_024;

export function openReader(options: ClientOptions, place: Place): Reader {
  // Said here: for each call the client wants it as a text, and takes a text for its opposite.
  const isolationLevel = FetchIsolationLevels.READ_COMMITTED;
  const consumer = new Consumer({ ...options, groupId: "heddle-reader", isolationLevel });
  // The brokers keep, per client, what it asked for last: one request at a time.
  const inTurn = startTurns();
  const positions: Reader["positions"] = async (topic) => {
    const offsets = async (timestamp: bigint) => {
      const found = await consumer.listOffsets({ topics: [topic], timestamp });
      return found.get(topic) ?? [];
    };
    try {
      const both = [ListOffsetTimestamps.EARLIEST, ListOffsetTimestamps.LATEST] as const;
      const [starts = [], ends = []] = await Promise.all(both.map(offsets));
      return ends.map((end, at) => ({ start: Number(starts[at] ?? 0n), end: Number(end) }));
    } catch (error) {
      throw kafkaError(error, { ...place, topic });
    }
  };
  const position: Reader["position"] = async (topic, partition) =>
    (await positions(topic))[partition] ?? { start: 0, end: 0 };
  /** By topic: what a record took when some were read last. */
  const recordBytes = new Map<string, number>();
  const read: Reader["read"] = async (topic, name, partition, offset, limit) => {
    for (let at = offset; ;) {
      // What comes and is not taken comes again with the next read.
      const wantedBytes = limit * (recordBytes.get(topic) ?? recordBytesGuess);
      const bytesMax = Math.min(partitionBytesMax, Math.ceil(wantedBytes));
      const [fetched] = await inTurn(() =>
        fetchRecords({ consumer, options }, topic, name, [{ partition, offset: at, bytesMax }], 0),
      );
      if (fetched === undefined) return [];
      if (fetched.recordBytes !== undefined) recordBytes.set(topic, fetched.recordBytes);
      if (fetched.records.length > 0) return fetched.records.slice(0, limit);
      if (fetched.next === at) {
        const { end } = await position(topic, partition);
        if (at >= end) return [];
      }
      at = fetched.next;
    }
  };
  return {
    positions,
    position,
    read: async (topic, name, partition, offset, limit) => {
      try {
        return await read(topic, name, partition, offset, limit);
      } catch (error) {
        if (!hasApiId(error, "OFFSET_OUT_OF_RANGE")) throw kafkaError(error, { ...place, topic });
        const held = await position(topic, partition);
        if (offset >= held.start) return [];
        throw offsetGone(name, partition, offset, held);
      }
    },
    [Symbol.asyncDispose]: async () => consumer.close(true),
  };
}
