import { systemClock } from "@heddle/base";
import type { EventLog } from "@heddle/eventlog";
import { openKafkaLog } from "@heddle/eventlog/kafka";
import type { KafkaClient, Load } from "./kafka-client.ts";

const openLog = ({ url, partitions }: Load): EventLog =>
  openKafkaLog({
    url: `${url}/?replicas=1&minInSyncReplicas=1&partitions=${partitions}`,
    ...{ clock: systemClock, random: Math.random },
  });

/** Our event log: the same client below, with zstd, limits, order, and a handler for each record. */
export const heddleClient: KafkaClient = {
  produce: async (load, batches) => {
    await using log = openLog(load);
    for (const batch of batches) {
      await log.append(
        load.topic,
        batch.map(({ key, value }) => ({ key, value, headers: {} })),
      );
    }
  },
  consume: async (load) => {
    await using log = openLog(load);
    const stop = new AbortController();
    let events = 0;
    const options = { topic: load.topic, group: `${load.topic}.heddle` };
    const handle = async (): Promise<void> => {
      if (++events >= load.events) stop.abort();
    };
    await log.subscribe(options, handle, stop.signal);
  },
};
