import { Kafka, logLevel, Partitioners } from "kafkajs";
import { type KafkaClient, type Load, readAll } from "./kafka-client.ts";

const kafkaOf = ({ url }: Load): Kafka =>
  new Kafka({
    clientId: "bench",
    brokers: [url.replace("kafka://", "")],
    logLevel: logLevel.NOTHING,
  });

export const kafkajsClient: KafkaClient = {
  produce: async (load, batches) => {
    const producer = kafkaOf(load).producer({
      ...{ idempotent: true, maxInFlightRequests: 1 },
      createPartitioner: Partitioners.DefaultPartitioner,
    });
    await producer.connect();
    for (const batch of batches) {
      await producer.send({ topic: load.topic, acks: -1, messages: [...batch] });
    }
    await producer.disconnect();
  },
  consume: async (load) => {
    const consumer = kafkaOf(load).consumer({
      groupId: `${load.topic}.kafkajs`,
      readUncommitted: false,
    });
    await readAll(consumer, { topic: load.topic, fromBeginning: true }, load.events);
  },
};
