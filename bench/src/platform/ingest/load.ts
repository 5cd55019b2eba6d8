import { ingestTopicOf } from "@heddle/eventlog";
import { Partitioners } from "kafkajs";
import { defineSource } from "@heddle/sdk";

/** How one client is to load the feature store. */
export interface IngestLoad {
  readonly client: IngestClient;
  readonly brokers: string;
  readonly partitions: number;
}
export const ingestClients = ["kafkajs", "heddle"] as const;
export type IngestClient = (typeof ingestClients)[number];

export const windowRecords = 10_000;
export const eventBytes = 1_024;
/** Events of one send. */
export const sendEvents = 1_000;

/** The source that the events are of. */
export const source = defineSource({
  ...{ name: "load", owner: "bench", licence: "internal", lawfulBasis: "contract" },
  ...{ retentionDays: 100, jurisdiction: "EU", purposes: ["ranking"] },
  columns: { id: "int64", time: "timestamp", user: "string", item: "string", text: "string" },
  eventId: ["id"],
  eventTime: "time",
  available: { rule: "at-event" },
  stream: { windowRecords },
});
export const topic = ingestTopicOf(source.name);

const firstMs = Date.UTC(2026, 0, 1);
const users = 5_000;

/** The event with this number: JSON of 1 KB, of which about half is chance. */
export function eventOf(id: number): string {
  let state = id + 1;
  const next = (): string =>
    ((state = Math.imul(state ^ (state >>> 15), 0x5bd1e995) + id) >>> 0).toString(36);
  let text = "";
  while (text.length < 460) text += next();
  const time = new Date(firstMs + id).toISOString();
  const json = JSON.stringify({ id, time, user: `u${id % users}`, item: `i${id % 900}`, text });
  return json.padEnd(eventBytes, " ");
}

/** Keys of which the n-th belongs to partition n modulo their number, so that windows fill evenly and the last one is whole. */
export function evenKeys(partitions: number): readonly string[] {
  const partitionOf = Partitioners.DefaultPartitioner();
  const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({
    ...{ partitionId, partitionErrorCode: 0, leader: 1, replicas: [1], isr: [1] },
  }));
  const keys: string[] = [];
  for (let n = 0; keys.length < 50 * partitions; n++) {
    const key = `u${n}`;
    const partition = partitionOf({ topic, partitionMetadata, message: { key, value: null } });
    if (partition === keys.length % partitions) keys.push(key);
  }
  return keys;
}
