import { systemClock } from "@heddle/base";
import { openKafkaLog } from "@heddle/eventlog/kafka";
import { Kafka, logLevel, Partitioners } from "kafkajs";
import { type IngestLoad, topic } from "./load.ts";

interface KeyedEvent {
  readonly key: string;
  readonly json: string;
}

/** A client that appends: idempotent, acknowledged by all replicas, one send under way. */
export interface Producer extends AsyncDisposable {
  append(events: readonly KeyedEvent[]): Promise<void>;
}

export async function openProducer(load: IngestLoad): Promise<Producer> {
  return load.client === "kafkajs" ? await byKafkajs(load) : byOurLog(load);
}

/** As another team would: uncompressed, which is its default. */
async function byKafkajs({ brokers }: IngestLoad): Promise<Producer> {
  const kafka = new Kafka({
    ...{ clientId: "bench", brokers: [brokers], logLevel: logLevel.NOTHING },
    // A broker that was killed takes some seconds to come back.
    retry: { retries: 100, initialRetryTime: 100, maxRetryTime: 1_000 },
  });
  const producer = kafka.producer({
    ...{ idempotent: true, maxInFlightRequests: 1 },
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  return {
    append: async (events) => {
      const messages = events.map(({ key, json }) => ({ key, value: json }));
      await producer.send({ topic, acks: -1, messages });
    },
    [Symbol.asyncDispose]: () => producer.disconnect(),
  };
}

function byOurLog({ brokers, partitions }: IngestLoad): Producer {
  const log = openKafkaLog({
    url: `kafka://${brokers}/?replicas=1&minInSyncReplicas=1&partitions=${partitions}`,
    ...{ clock: systemClock, random: Math.random, appendWithinMs: 120_000 },
  });
  const encoder = new TextEncoder();
  return {
    append: (events) =>
      log.append(
        topic,
        events.map(({ key, json }) => ({ key, value: encoder.encode(json), headers: {} })),
      ),
    [Symbol.asyncDispose]: () => log[Symbol.asyncDispose](),
  };
}
