import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { contentName, isHeddleError, type LogRange, present, writeLogRange } from "@heddle/base";
import {
  buildPartitions,
  type BuiltPartition,
  type DatasetPlan,
  datasetColumns,
  type DatasetUse,
  exampleSource,
  openDuckdb,
  segmentsThatMatter,
} from "@heddle/feature-engine";
import { digestOfFile, type Objects } from "@heddle/objects";
import {
  type FeatureStoreService,
  type Partition,
  PartitionSchema,
} from "@heddle/proto/feature-store";
import { LogRangeSchema } from "@heddle/proto/common";
import type { Client } from "@heddle/rpc";
import type { Telemetry } from "@heddle/telemetry";
import {
  manifestOf,
  partitionMessage,
  partitionObject,
  protoUse,
  readPartitionMessage,
  writePartitionMessage,
} from "./manifest.ts";

export interface BuildRequest {
  readonly modelDefinitionJson: string;
  readonly fromPartition: string;
  readonly toPartition: string;
  readonly use: DatasetUse;
  readonly branches: Readonly<Record<string, string>>;
}

export interface BuildDeps {
  readonly featureStore: Client<typeof FeatureStoreService>;
  readonly objects: Objects;
  /** For what DuckDB spills and for partitions under way; removed at the end. */
  readonly folder: string;
  readonly threads: number;
  readonly memoryBytesMax: number;
  /** Where spans note which ingestions they read. */
  readonly telemetry: Pick<Telemetry, "link">;
  /** Called as partitions are done. */
  readonly progress: (done: number, total: number, message: string) => void;
}

export interface BuiltDataset {
  readonly dataset: string;
  readonly rows: number;
  readonly positives: number;
}

const callMs = 60_000;

/**
 * Builds a dataset: asks what it needs, makes the partitions that no earlier build has made, and
 * registers it. Each partition is kept as soon as it is done, so that a build that dies goes on there.
 */
export async function buildDataset(
  request: BuildRequest,
  deps: BuildDeps,
  signal: AbortSignal,
): Promise<BuiltDataset> {
  const { featureStore, progress } = deps;
  const call = { timeoutMs: callMs, signal };
  const { use, ...range } = request;
  const resolved = await featureStore.resolveDataset({ ...range, use: protoUse(use) }, call);
  const plan = JSON.parse(resolved.planJson) as DatasetPlan;
  linkIngestions(plan, deps.telemetry);
  const done = new Map(
    resolved.partitions.flatMap((p) => (p.built === undefined ? [] : [[p.partition, p.built]])),
  );
  const total = resolved.partitions.length;
  progress(done.size, total, "");
  const missing = resolved.partitions.filter((p) => p.built === undefined);
  const digests = new Map(missing.map((p) => [p.partition, p.inputsDigest]));
  for (const batch of batchesOf(
    missing.map((p) => p.partition),
    use === "ranking" || plan.partitioning.by === "log" ? 1 : sampledPerBatch,
  )) {
    const own = planOfBatch(plan, batch);
    for await (const [partition, message] of buildBatch(own, batch, digests, deps, signal)) {
      done.set(partition, message);
      progress(done.size, total, `partition ${partition}, ${message.rows} rows`);
    }
  }
  const partitions = resolved.partitions.map((p) => present(done.get(p.partition), p.partition));
  const manifest = manifestOf(plan, datasetColumns(plan), partitions);
  const requestId = contentName(partitions.map((p) => [p.inputsDigest, p.rowHash]).concat([[use]]));
  const { dataset } = await featureStore.commitDataset({ requestId, manifest }, call);
  return { dataset, rows: Number(manifest.rows), positives: Number(manifest.positives) };
}

const ingestionsMax = 100;

/** Says which ingestions the rows come from: of each source the newest, for a span does not keep any number of them. */
function linkIngestions({ sources }: DatasetPlan, telemetry: Pick<Telemetry, "link">): void {
  const all = Object.values(sources);
  const share = Math.floor(ingestionsMax / Math.max(1, all.length));
  const traces = all.flatMap(({ segments }) =>
    segments.slice(-share).flatMap(({ traceparent }) => traceparent ?? []),
  );
  for (const traceparent of new Set(traces)) telemetry.link(traceparent);
}

/** Sampled rows of some sixty partitions fit in memory together; all candidates of one are a batch, and so are a window's rows. */
const sampledPerBatch = 60;

function batchesOf(partitions: readonly string[], size: number): string[][] {
  return Array.from({ length: Math.ceil(partitions.length / size) }, (_, i) =>
    partitions.slice(i * size, (i + 1) * size),
  );
}

/** Each window is built of what its own examples may see: those of one see less than those of the next. */
function planOfBatch(plan: DatasetPlan, partitions: readonly string[]): DatasetPlan {
  const [window] = partitions;
  if (plan.partitioning.by !== "log" || window === undefined) return plan;
  const matter = segmentsThatMatter(plan, window);
  const sources = Object.entries(plan.sources).map(([name, source]) => [
    name,
    { ...source, segments: matter[name] ?? [] },
  ]);
  return { ...plan, sources: Object.fromEntries(sources) as DatasetPlan["sources"] };
}

async function* buildBatch(
  plan: DatasetPlan,
  partitions: readonly string[],
  digests: ReadonlyMap<string, string>,
  { objects, folder, threads, memoryBytesMax }: BuildDeps,
  signal: AbortSignal,
): AsyncIterable<[string, Partition]> {
  await mkdir(folder, { recursive: true });
  try {
    await using db = await openDuckdb({
      threads,
      memoryBytesMax,
      tempFolder: join(folder, "spill"),
    });
    const paths = new Map<string, string>();
    for (const { object } of Object.values(plan.sources).flatMap((source) => source.segments)) {
      paths.set(object.name, await objects.path(object.name, object.sha256));
    }
    for await (const built of buildPartitions(db, plan, partitions, paths, folder)) {
      signal.throwIfAborted();
      const digest = present(digests.get(built.partition), `digest of ${built.partition}`);
      yield [built.partition, await keep(built, digest, plan, objects)];
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Records of the log behind a window; none behind any other partition. */
function logOf(plan: DatasetPlan, partition: string): readonly LogRange[] {
  if (plan.partitioning.by !== "log") return [];
  const segments = plan.sources[exampleSource(plan.examples)]?.segments ?? [];
  const window = segments.find((segment) => segment.window?.number === Number(partition))?.window;
  return window?.log ?? [];
}

/**
 * Puts a partition where the next build of the same inputs finds it: the file, then what names it.
 * Equal rows may lie in files with other bytes, so a file's name holds both its inputs and its bytes.
 */
async function keep(
  built: BuiltPartition,
  inputsDigest: string,
  plan: DatasetPlan,
  objects: Objects,
): Promise<Partition> {
  const { sha256 } = await digestOfFile(built.path);
  const name = `datasets/${plan.model}/${inputsDigest.slice(0, 32)}-${sha256.slice(0, 16)}.parquet`;
  const object = await objects.putFile(name, built.path);
  const message = create(PartitionSchema, {
    ...partitionMessage(built, inputsDigest, object),
    log: logOf(plan, built.partition).map((range) => create(LogRangeSchema, writeLogRange(range))),
  });
  try {
    await objects.put(partitionObject(inputsDigest), writePartitionMessage(message));
    return message;
  } catch (error) {
    // Another build of the same inputs was first.
    if (!isHeddleError(error, "OBJECT_DIFFERS")) throw error;
    return readPartitionMessage(await objects.get(partitionObject(inputsDigest)));
  }
}
