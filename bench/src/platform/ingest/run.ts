import { spawnSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { FeatureStoreService } from "@heddle/proto/feature-store";
import { type Client, connect } from "@heddle/rpc";
import { silentTelemetry } from "@heddle/telemetry";
import { type Held, heldBy } from "./held.ts";
import { type IngestLoad, sendEvents, source, windowRecords } from "./load.ts";
import {
  type RunningProducer,
  type RunningStore,
  startProducer,
  startStore,
  usageOf,
} from "./processes.ts";

/** One look at the load. */
export interface Sample {
  readonly seconds: number;
  /** Events acknowledged to the producer, events in windows, and bytes of Kafka's folder. */
  readonly sent: number;
  readonly cut: number;
  readonly kafkaBytes: number;
  /** Memory of the feature store with its engine, after a collection of garbage; not looked at each time. */
  readonly storeBytes?: number;
  /** CPU-seconds until now. */
  readonly cpu: { readonly producer: number; readonly store: number; readonly broker: number };
}

export interface IngestRun {
  /** While it went as fast as the store takes it, and then at eight tenths of that. */
  readonly fastest: readonly Sample[];
  readonly sustained: readonly Sample[];
  readonly sent: number;
  readonly held: Held;
}

export interface IngestPlace {
  readonly folder: string;
  readonly kafkaFolder: string;
  readonly brokerPid: number;
  readonly fastestSeconds: number;
  readonly sustainedSeconds: number;
  readonly say: (text: string) => void;
}

/** What may be on its way: windows that fill, and one that is cut. */
const aheadMax = 6 * windowRecords;
/** Of the fastest rate, which is not the same in each minute of a machine that others use as well. */
const heldShare = 0.8;
const lookMs = 500;
/** Of a load whose memory is looked at, at most. */
const memoryLooks = 60;
const call = { timeoutMs: 60_000 };

/** Events of one client through Kafka into segments: as fast as they go, then at a rate that is held. All are cut in the end. */
export async function ingestRun(load: IngestLoad, place: IngestPlace): Promise<IngestRun> {
  const { folder, say } = place;
  await using store = await startStore(folder, load.brokers, load.partitions);
  await using featureStore = connect(FeatureStoreService, store.address, {
    ...{ telemetry: silentTelemetry(), actor: "bench" },
  });
  const applied = { requestId: "source", definitionJson: JSON.stringify(source) };
  await featureStore.applyDefinition(applied, call);
  await using producer = await startProducer(load);
  const watching = { ...place, load, featureStore, producer, store };
  // The first window starts the engine.
  producer.tell({ upTo: aheadMax });
  while ((await cutOf(watching)) === 0) await sleep(lookMs);
  const fastest = await watch(watching, place.fastestSeconds, undefined);
  const rate = heldShare * rateOf(settled(fastest), "cut");
  say(`${load.client}: ${Math.round(rate / heldShare)} events/s at most; now ${Math.round(rate)}`);
  const sustained = await watch(watching, place.sustainedSeconds, rate);
  const sent = await finish(watching);
  const held = await heldBy(featureStore, `${folder}/objects`, `${folder}/duckdb`);
  return { fastest, sustained, sent, held };
}

interface Watching extends IngestPlace {
  readonly load: IngestLoad;
  readonly featureStore: Client<typeof FeatureStoreService>;
  readonly producer: RunningProducer;
  readonly store: RunningStore;
}

async function watch(
  watching: Watching,
  seconds: number,
  rate: number | undefined,
): Promise<readonly Sample[]> {
  const began = performance.now();
  const samples: Sample[] = [];
  let cut = await cutOf(watching);
  let collected = 0;
  while (performance.now() - began < seconds * 1_000) {
    // At a rate that is held nothing holds the producer back: what is not taken in is seen as lag.
    if (rate === undefined) watching.producer.tell({ upTo: cut + aheadMax });
    else watching.producer.tell({ rate, upTo: Number.MAX_SAFE_INTEGER });
    await sleep(lookMs);
    cut = await cutOf(watching);
    const now = (performance.now() - began) / 1_000;
    const memory = rate !== undefined && now - collected >= seconds / memoryLooks;
    if (memory) collected = now;
    samples.push(await lookAt(watching, { seconds: now, cut, memory }));
  }
  return samples;
}

async function lookAt(
  { producer, store, brokerPid, kafkaFolder }: Watching,
  { memory, ...at }: { readonly seconds: number; readonly cut: number; readonly memory: boolean },
): Promise<Sample> {
  if (memory) await store.collect();
  const [produced, stored, broker] = await usageOf([producer.pid, store.pid, brokerPid]);
  return {
    ...{ ...at, sent: producer.sent(), kafkaBytes: bytesOf(kafkaFolder) },
    ...(memory && stored !== undefined && { storeBytes: stored.rssBytes }),
    cpu: {
      producer: produced?.cpuSeconds ?? 0,
      store: stored?.cpuSeconds ?? 0,
      broker: broker?.cpuSeconds ?? 0,
    },
  };
}

async function cutOf({ featureStore }: Watching): Promise<number> {
  const { partitions, problem } = await featureStore.getStream({ source: source.name }, call);
  if (problem !== "") throw new Error(`the feature store cuts no windows: ${problem}`);
  return partitions.reduce((sum, { cutOffset }) => sum + Number(cutOffset), 0);
}

/** Fills the window that was begun, and waits until it is cut. */
async function finish(watching: Watching): Promise<number> {
  const { producer } = watching;
  producer.tell({ rate: 0, upTo: 0 });
  let sent = -1;
  while (sent !== producer.sent()) {
    sent = producer.sent();
    await sleep(2_000);
  }
  const all = Math.ceil(sent / windowRecords) * windowRecords;
  producer.tell({ upTo: all });
  while (producer.sent() + sendEvents <= all) await sleep(20);
  while ((await cutOf(watching)) < all) await sleep(200);
  return producer.sent();
}

/** Without what is warming up: the first third. */
export const settled = (samples: readonly Sample[]): readonly Sample[] =>
  samples.slice(Math.floor(samples.length / 3));

export function rateOf(samples: readonly Sample[], of: "sent" | "cut"): number {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined) return Number.NaN;
  return (last[of] - first[of]) / (last.seconds - first.seconds);
}

/** On the disk: Kafka reserves more for an index than it uses. A file that Kafka removes while `du` looks is a complaint, no failure. */
export function bytesOf(folder: string): number {
  const { stdout, stderr } = spawnSync("du", ["-sk", folder], { encoding: "utf8" });
  const kibibytes = Number.parseInt(stdout, 10);
  if (Number.isNaN(kibibytes)) throw new Error(`du says nothing of ${folder}: ${stderr}`);
  return kibibytes * 1_024;
}
