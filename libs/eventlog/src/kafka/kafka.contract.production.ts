import { systemClock } from "@heddle/base";
import { kafkaForTests } from "@heddle/servers";
import { eventLogContract } from "../contract.ts";
import { openKafkaLog } from "./kafka-log.ts";

const kafka = await kafkaForTests();
const backoff = { initialMs: 1, maxMs: 5, multiplier: 2, jitter: 0 };
const run = Date.now().toString(36);

eventLogContract(
  "kafka",
  async (place) =>
    openKafkaLog({
      url: `${kafka.url}/${run}.${place}.?partitions=1&replicas=1&minInSyncReplicas=1`,
      ...{ clock: systemClock, random: () => 0.5, backoff },
    }),
  { skip: kafka.skip },
);
