import { openConfluent } from "./confluent.ts";
import { type KafkaClient, type Load, readAll } from "./kafka-client.ts";

const open = async ({ url }: Load) => {
  const Kafka = await openConfluent();
  const brokers = [url.replace("kafka://", "")];
  return new Kafka({ kafkaJS: { clientId: "bench", brokers, logLevel: 0 } });
};

/** librdkafka, by its interface that is like that of kafkajs. */
export const confluentClient: KafkaClient = {
  produce: async (load, batches) => {
    const kafka = await open(load);
    const producer = kafka.producer({ kafkaJS: { idempotent: true, acks: -1 } });
    await producer.connect();
    for (const batch of batches) await producer.send({ topic: load.topic, messages: [...batch] });
    await producer.disconnect();
  },
  consume: async (load) => {
    const kafka = await open(load);
    const consumer = kafka.consumer({
      kafkaJS: { groupId: `${load.topic}.confluent`, fromBeginning: true, readUncommitted: false },
    });
    await readAll(consumer, { topic: load.topic }, load.events);
  },
};
