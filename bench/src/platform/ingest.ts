import { startKafka, Unavailable } from "@heddle/servers";
import { temporaryFolder } from "@heddle/testkit";
import { Admin } from "@platformatic/kafka";
import type { BenchOptions } from "../main.ts";
import type { Row } from "../row.ts";
import { slopeOf } from "../slope.ts";
import { measured, skipped } from "../summarise.ts";
import { ingestClients, type IngestClient, topic } from "./ingest/load.ts";
import { retainedOf } from "./ingest/retention.ts";
import { ingestRun, type IngestRun, rateOf, type Sample, settled } from "./ingest/run.ts";

const full = { fastestSeconds: 45, sustainedSeconds: 120 };
const small = { fastestSeconds: 15, sustainedSeconds: 20 };
/** Of a topic that nobody takes from, written four times over. */
const fullRetentionBytes = 256e6;
const smallRetentionBytes = 64e6;
/** Kafka removes whole files, a little behind: small ones and often, so that a short load is long enough. */
const eager = {
  "log.segment.bytes": String(8 << 20),
  "log.initial.task.delay.ms": "500",
  "log.retention.check.interval.ms": "500",
  "log.segment.delete.delay.ms": "100",
};
const partitions = 4;
/** Of the topic on the disk: half of the 2 GB, for Kafka removes whole files only, and behind the limit. */
const retentionBytes = 1e9;
const diskBytesMax = 2e9;
const rateMin = 10_000;
const megabyte = 1e6;

/**
 * Events of 1 KB from a producer through Kafka into the feature store's segments, for each client on a Kafka of its own; and what
 * retention leaves on the disk. `--client=NAME` takes one.
 */
export async function ingestRows(options: BenchOptions): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const client of ingestClients) {
    if (options.args["client"] !== undefined && options.args["client"] !== client) continue;
    rows.push(...(await clientRows(client, options)));
  }
  return [...rows, ...(await retentionRows(options))];
}

async function clientRows(client: IngestClient, { quick, say }: BenchOptions): Promise<Row[]> {
  using folder = temporaryFolder("bench-ingest");
  const kafkaFolder = folder.file("kafka");
  const kafka = await startKafka(kafkaFolder).catch(unavailable);
  if (kafka instanceof Unavailable) return [skipped("events into the store", kafka.message)];
  await using server = kafka;
  const brokers = server.url.replace("kafka://", "");
  await makeTopic(brokers, retentionBytes);
  const run = await ingestRun(
    { client, brokers, partitions },
    {
      ...{ folder: folder.path, kafkaFolder: `${kafkaFolder}/data`, brokerPid: server.processId },
      ...(quick ? small : full),
      say,
    },
  );
  return rowsOf(client, run);
}

/** What bounds the disk where nothing else does: no store takes the events, so nothing is trimmed. */
async function retentionRows({ quick, say }: BenchOptions): Promise<Row[]> {
  using folder = temporaryFolder("bench-retention");
  const kafkaFolder = folder.file("kafka");
  const kafka = await startKafka(kafkaFolder, eager).catch(unavailable);
  if (kafka instanceof Unavailable) return [skipped("retention", kafka.message)];
  await using server = kafka;
  const brokers = server.url.replace("kafka://", "");
  const limit = quick ? smallRetentionBytes : fullRetentionBytes;
  await makeTopic(brokers, limit);
  say(`retention: ${(4 * limit) / megabyte} MB into a topic that keeps ${limit / megabyte}`);
  const load = { client: "kafkajs", brokers, partitions } as const;
  const { writtenBytes, diskBytesMax, diskBytesAfter } = await retainedOf(
    load,
    `${kafkaFolder}/data`,
    limit,
  );
  const named = "a topic that nobody takes from";
  const goal = `at most ${(2 * limit) / megabyte}, twice its retention.bytes`;
  const most = (measure: string, bytes: number): Row =>
    judged(`${named}: ${measure}`, "MB", bytes / megabyte, bytes <= 2 * limit, goal);
  return [
    measured(`${named}: written`, "MB", [writtenBytes / megabyte]),
    most("Kafka's disk at most", diskBytesMax),
    most("Kafka's disk 5 s later", diskBytesAfter),
  ];
}

function unavailable(error: unknown): Unavailable {
  if (error instanceof Unavailable) return error;
  throw error;
}

/** @param bytes that the topic keeps, all partitions together. */
async function makeTopic(brokers: string, bytes: number): Promise<void> {
  const admin = new Admin({ clientId: "bench", bootstrapBrokers: [brokers] });
  const configs = Object.entries({
    "max.message.bytes": String(2 << 20),
    "message.timestamp.type": "LogAppendTime",
    "retention.bytes": String(Math.floor(bytes / partitions)),
  }).map(([name, value]) => ({ name, value }));
  await admin.createTopics({ topics: [topic], partitions, replicas: 1, configs });
  await admin.close();
}

function rowsOf(client: IngestClient, { fastest, sustained, sent, held }: IngestRun): Row[] {
  const named = (measure: string): string => `${client}: ${measure}`;
  const flat = (measure: string, unit: string, of: (sample: Sample) => number | undefined): Row => {
    const samples = sustained.flatMap((one): [number, number][] => {
      const value = of(one);
      return value === undefined ? [] : [[one.seconds, value]];
    });
    const { value, low, high } = slopeOf(samples);
    const row = { measure: named(measure), unit, value, low, high, runs: samples.length };
    const verdict = low <= 0 ? "holds" : "missed";
    return { ...row, goal: "interval has 0, or lies below it", verdict };
  };
  const sum = (sent * (sent - 1)) / 2;
  const whole = held.events === sent && held.ids === sent && held.sum === sum;
  const disk = Math.max(...[...fastest, ...sustained].map(({ kafkaBytes }) => kafkaBytes));
  const rate = rateOf(sustained, "cut");
  const cpu = cpuOf(sustained);
  return [
    measured(named("at most, settled"), "events/s", [rateOf(settled(fastest), "cut")]),
    judged(named("sustained, into segments"), "events/s", rate, rate >= rateMin, "at least 10,000"),
    flat("lag rises by", "events/s", ({ sent, cut }) => sent - cut),
    flat("the store's memory rises by", "MB/s", ({ storeBytes }) =>
      storeBytes === undefined ? undefined : storeBytes / megabyte,
    ),
    judged(named("events sent"), "", sent, whole, "each id once in segments, by count and sum"),
    judged(
      named("Kafka's disk at most"),
      "MB",
      disk / megabyte,
      disk <= diskBytesMax,
      "at most 2,000",
    ),
    ...Object.entries(cpu).map(([part, value]) =>
      measured(named(`CPU of ${part}`), "CPU-s/1M events", [value]),
    ),
  ];
}

/** CPU-seconds a million events, by part. */
function cpuOf(samples: readonly Sample[]): Readonly<Record<string, number>> {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined) return {};
  const millions = (last.cut - first.cut) / 1e6;
  return Object.fromEntries(
    (["producer", "broker", "store"] as const).map((part) => [
      part === "store" ? "the store and its engine" : `the ${part}`,
      (last.cpu[part] - first.cpu[part]) / millions,
    ]),
  );
}

function judged(measure: string, unit: string, value: number, well: boolean, goal: string): Row {
  const verdict = well ? "holds" : "missed";
  return { ...measured(measure, unit, [value]), goal, verdict };
}
