import { after } from "node:test";
import { kafkaForTests } from "@heddle/servers";
import { temporaryFolder } from "@heddle/testkit";
import { onlineContract } from "../contract.ts";
import { openTestKafkaLog } from "./fixtures/kafka-log.ts";
import { openTestReplica } from "./fixtures/replicas.ts";

const kafka = await kafkaForTests();
const folder = temporaryFolder("online-kafka");
after(() => folder[Symbol.dispose]());
const run = Date.now().toString(36);

onlineContract(
  "replica on Kafka",
  async (place) => {
    const log = openTestKafkaLog(`${kafka.url}/${run}.${place}.`);
    const replica = openTestReplica(log, folder.file(place));
    let closed: Promise<void> | undefined;
    const close = async (): Promise<void> => {
      await replica[Symbol.asyncDispose]();
      await log[Symbol.asyncDispose]();
    };
    return { ...replica, [Symbol.asyncDispose]: () => (closed ??= close()) };
  },
  { skip: kafka.skip },
);
