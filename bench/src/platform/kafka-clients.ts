import { fork } from "node:child_process";
import { join } from "node:path";
import { messageOf } from "@heddle/base";
import { startKafka, Unavailable } from "@heddle/servers";
import { temporaryFolder } from "@heddle/testkit";
import { Admin } from "@platformatic/kafka";
import { anotherFirst } from "../another-first.ts";
import type { BenchOptions } from "../main.ts";
import type { Row } from "../row.ts";
import { compared, measured, skipped } from "../summarise.ts";
import { openConfluent } from "./confluent.ts";
import type { Load } from "./kafka-client.ts";

const peers = ["platformatic", "confluent", "heddle"] as const;
const roles = ["produce", "consume"] as const;
const full = { events: 400_000, rounds: 5 };
const small = { events: 40_000, rounds: 3 };
const partitions = 4;

interface Taken {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

/** Events of 1 KB through each client, in turn in each round, on one Kafka of our own. */
export async function kafkaClientRows({ quick, say }: BenchOptions): Promise<readonly Row[]> {
  const { events, rounds } = quick ? small : full;
  using folder = temporaryFolder("bench-kafka");
  const kafka = await startKafka(folder.path).catch((error: unknown) => {
    if (error instanceof Unavailable) return error;
    throw error;
  });
  if (kafka instanceof Unavailable) return [skipped("kafka clients", kafka.message)];
  await using server = kafka;
  // Its build may take minutes, and fail on a machine that has no compiler.
  const why = await openConfluent().then(
    () => undefined,
    // A build's last line says most.
    (error: unknown) => messageOf(error).trim().split("\n").slice(-1).join(),
  );
  const beside = peers.filter((peer) => peer !== "confluent" || why === undefined);
  const clients = ["kafkajs", ...beside];
  const taken = new Map<string, Taken[]>();
  // The first round warms up the broker.
  for (let round = -1; round < rounds; round++) {
    for (const client of anotherFirst(clients, round)) {
      const topic = `bench.${client}.${round + 1}`;
      const load = { url: server.url, topic, partitions, events };
      await makeTopic(load);
      for (const role of roles) {
        const one = await measure(client, role, load);
        const key = `${client} ${role}`;
        if (round >= 0) taken.set(key, [...(taken.get(key) ?? []), one]);
      }
      await dropTopic(load);
    }
    say(`round ${round + 1} of ${rounds}`);
  }
  const rows = roles.flatMap((role) => rowsOf(role, beside, taken, events));
  return why === undefined ? rows : [...rows, skipped("@confluentinc/kafka-javascript", why)];
}

function rowsOf(
  role: (typeof roles)[number],
  peers: readonly string[],
  taken: ReadonlyMap<string, readonly Taken[]>,
  events: number,
): readonly Row[] {
  const cpuOf = (client: string) =>
    (taken.get(`${client} ${role}`) ?? []).map(({ cpuSeconds }) => (cpuSeconds * 1e6) / events);
  const rateOf = (client: string) =>
    (taken.get(`${client} ${role}`) ?? []).map(({ seconds }) => events / seconds);
  const beside = (client: string) => [
    compared(`${role}, ${client}: CPU`, "CPU-s/1M events", cpuOf(client), {
      name: "kafkajs",
      values: cpuOf("kafkajs"),
    }),
    compared(`${role}, ${client}: rate`, "events/s", rateOf(client), {
      name: "kafkajs",
      values: rateOf("kafkajs"),
    }),
  ];
  return [
    measured(`${role}, kafkajs: CPU`, "CPU-s/1M events", cpuOf("kafkajs")),
    measured(`${role}, kafkajs: rate`, "events/s", rateOf("kafkajs")),
    ...peers.flatMap(beside),
  ];
}

async function measure(client: string, role: string, load: Load): Promise<Taken> {
  const program = join(import.meta.dirname, "kafka-client-main.ts");
  const child = fork(program, [client, role, JSON.stringify(load)]);
  return await new Promise((resolve, reject) => {
    child.once("message", (taken) => resolve(taken as Taken));
    child.once("exit", (code) => reject(new Error(`${client} ${role} ended with ${code}`)));
  });
}

const adminOf = ({ url }: Load): Admin =>
  new Admin({ clientId: "bench", bootstrapBrokers: [url.replace("kafka://", "")] });

async function makeTopic(load: Load): Promise<void> {
  const admin = adminOf(load);
  const configs = [{ name: "max.message.bytes", value: String(2 << 20) }];
  await admin.createTopics({
    topics: [load.topic],
    partitions: load.partitions,
    replicas: 1,
    configs,
  });
  await admin.close();
}

async function dropTopic(load: Load): Promise<void> {
  const admin = adminOf(load);
  await admin.deleteTopics({ topics: [load.topic] });
  await admin.close();
}
