// One client's produce or consume in a process of its own, so that its CPU is counted alone; started by kafka-clients.ts.
import { eventBatches, type KafkaClient, type Load } from "./kafka-client.ts";

const [client = "", role = "", text = "{}"] = process.argv.slice(2);
const load = JSON.parse(text) as Load;
const clients: Readonly<Record<string, () => Promise<KafkaClient>>> = {
  kafkajs: async () => (await import("./kafkajs-client.ts")).kafkajsClient,
  platformatic: async () => (await import("./platformatic-client.ts")).platformaticClient,
  confluent: async () => (await import("./confluent-client.ts")).confluentClient,
  heddle: async () => (await import("./heddle-client.ts")).heddleClient,
};
const measured = await clients[client]?.();
if (measured === undefined) throw new Error(`no client ${client}`);
// Made beforehand: they are no client's work.
const batches = role === "produce" ? [...eventBatches(load.events)] : [];
const cpu = process.cpuUsage();
const started = performance.now();
await (role === "produce" ? measured.produce(load, batches) : measured.consume(load));
const seconds = (performance.now() - started) / 1_000;
const { user, system } = process.cpuUsage(cpu);
process.send?.({ seconds, cpuSeconds: (user + system) / 1_000_000 });
process.disconnect?.();
