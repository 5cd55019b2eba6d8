// Follows Heddle's models: `node src/main.ts BROKERS [PREFIX]`. It knows Heddle from its published contract alone.
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import kafkajs, { type EachBatchPayload } from "kafkajs";
import { eventOf } from "./record.ts";
import { apply, describe, type Effect, readView, saveView } from "./view.ts";

// A CommonJS module of which Node finds only some names.
const { CompressionCodecs, CompressionTypes, Kafka, logLevel } = kafkajs;
const topics = ["heddle.models.v1", "heddle.evaluations.v1", "heddle.serving.v1"];
const [brokers = "127.0.0.1:9092", prefix = ""] = process.argv.slice(2);
const file = process.env["FOLLOW_MODELS_FILE"] ?? "models.json";

// Heddle compresses by zstd, for which kafkajs wants a codec; Node has one.
CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: ({ buffer }: { buffer: Buffer }) => Promise.resolve(zstdCompressSync(buffer)),
  decompress: (buffer: Buffer) => Promise.resolve(zstdDecompressSync(buffer)),
});

const kafka = new Kafka({
  ...{ clientId: "follow-models", brokers: brokers.split(",") },
  logLevel: logLevel.ERROR,
});
const consumer = kafka.consumer({ groupId: `${prefix}follow-models`, readUncommitted: false });
const view = readView(file);
const counts: Record<Effect | "skipped", number> = {
  applied: 0,
  repeated: 0,
  unknown: 0,
  skipped: 0,
};
let lastSaid = describe(view).join("\n");
const ending = new AbortController();

for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => ending.abort());
await untilTopicsAreThere();
if (!ending.signal.aborted) {
  // The client heals what it can by itself; what it cannot ends us, and whoever runs us starts us again.
  consumer.on("consumer.crash", ({ payload: { error, restart } }) => {
    if (restart) return;
    console.error(String(error));
    process.exit(1);
  });
  await consumer.connect();
  await consumer.subscribe({ topics: topics.map((t) => prefix + t), fromBeginning: true });
  await consumer.run({ autoCommit: false, eachBatch: takeBatch });
  await new Promise((resolve) => ending.signal.addEventListener("abort", resolve));
  await consumer.disconnect();
}
console.log(
  `ended: ${Object.entries(counts)
    .map(([what, n]) => `${n} ${what}`)
    .join(", ")}`,
);

/** First the view is saved, then the offset moves: a death between the two gives repeats, which the view knows. */
async function takeBatch({ batch, heartbeat }: EachBatchPayload): Promise<void> {
  const { topic, partition } = batch;
  for (const record of batch.messages) {
    try {
      counts[apply(view, eventOf({ ...record, headers: record.headers ?? {} }))] += 1;
    } catch (error) {
      counts.skipped += 1;
      const place = `offset ${record.offset} of ${topic}, partition ${partition}`;
      console.error(`skipped ${place}: ${error instanceof Error ? error.message : error}`);
    }
  }
  saveView(file, view);
  const offset = String(BigInt(batch.lastOffset()) + 1n);
  await consumer.commitOffsets([{ topic, partition, offset }]);
  await heartbeat();
  const says = describe(view).join("\n");
  if (says !== lastSaid) console.log((lastSaid = says));
}

/** A topic is made with its first record. */
async function untilTopicsAreThere(): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  for (let said = false; !ending.signal.aborted; said = true) {
    const there = await admin.listTopics();
    const missing = topics.filter((topic) => !there.includes(prefix + topic));
    if (missing.length === 0) break;
    if (!said) console.error(`waiting for ${missing.join(", ")}`);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
  await admin.disconnect();
}
