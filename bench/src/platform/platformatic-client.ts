import { Consumer, Producer } from "@platformatic/kafka";
import type { KafkaClient, Load } from "./kafka-client.ts";

const base = ({ url }: Load) => ({
  clientId: "bench",
  bootstrapBrokers: [url.replace("kafka://", "")],
});

export const platformaticClient: KafkaClient = {
  produce: async (load, batches) => {
    const producer = new Producer({ ...base(load), idempotent: true });
    const { topic } = load;
    for (const batch of batches) {
      const messages = batch.map(({ key, value }) => ({ topic, key: Buffer.from(key), value }));
      await producer.send({ messages });
    }
    await producer.close();
  },
  consume: async (load) => {
    const consumer = new Consumer({ ...base(load), groupId: `${load.topic}.platformatic` });
    const stream = await consumer.consume({
      ...{ topics: [load.topic], mode: "committed", fallbackMode: "earliest" },
      ...{ autocommit: 1_000, isolationLevel: 1 },
    });
    let events = 0;
    for await (const _ of stream) if (++events >= load.events) break;
    await consumer.close(true);
  },
};
