import { setTimeout as sleep } from "node:timers/promises";
import { eventBytes, eventOf, evenKeys, type IngestLoad, sendEvents } from "./load.ts";
import { openProducer } from "./producer.ts";
import { bytesOf } from "./run.ts";

/** What came of a topic that nobody takes anything from. */
export interface Retained {
  readonly writtenBytes: number;
  /** Kafka's whole folder: while it was written, and once Kafka had looked again. */
  readonly diskBytesMax: number;
  readonly diskBytesAfter: number;
}

const limitsWritten = 4;
const sendsBetweenLooks = 20;
/** Kafka looks again, and deletes. */
const settleMs = 5_000;

/** Writes four times what the topic may keep, as fast as it goes. */
export async function retainedOf(
  load: IngestLoad,
  kafkaFolder: string,
  retentionBytes: number,
): Promise<Retained> {
  await using producer = await openProducer(load);
  const keys = evenKeys(load.partitions);
  const events = Array.from({ length: sendEvents }, (_, n) => ({
    key: keys[n % keys.length] ?? "",
    json: eventOf(n),
  }));
  const sends = Math.ceil((limitsWritten * retentionBytes) / (sendEvents * eventBytes));
  let diskBytesMax = 0;
  for (let n = 0; n < sends; n++) {
    await producer.append(events);
    if (n % sendsBetweenLooks === 0) diskBytesMax = Math.max(diskBytesMax, bytesOf(kafkaFolder));
  }
  diskBytesMax = Math.max(diskBytesMax, bytesOf(kafkaFolder));
  await sleep(settleMs);
  const writtenBytes = sends * sendEvents * eventBytes;
  return { writtenBytes, diskBytesMax, diskBytesAfter: bytesOf(kafkaFolder) };
}
