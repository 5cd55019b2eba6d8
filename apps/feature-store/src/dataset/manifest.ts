import { contentName, HeddleError, writeLogRange } from "@heddle/base";
import type { DatasetPlan, DatasetUse, PartitionFacts, SegmentFile } from "@heddle/feature-engine";
import type { SegmentOriginSchema } from "@heddle/proto/common";
import {
  DatasetManifestSchema,
  DatasetUse as Use,
  type DatasetManifest,
  type Partition,
  PartitionSchema,
} from "@heddle/proto/feature-store";
import { fromJson, type JsonValue, type MessageInitShape, toJson } from "@bufbuild/protobuf";

const uses: Readonly<Record<Use, DatasetUse | undefined>> = {
  [Use.UNSPECIFIED]: undefined,
  [Use.TRAINING]: "training",
  [Use.EVALUATION]: "evaluation",
  [Use.RANKING]: "ranking",
};

/** @throws {HeddleError} INVALID_ARGUMENT USE_INVALID. */
export function useOf(use: Use): DatasetUse {
  const known = uses[use];
  if (known !== undefined) return known;
  throw new HeddleError(
    "INVALID_ARGUMENT",
    "USE_INVALID",
    "say what the dataset's rows are for: training, evaluation or ranking",
  );
}

export const protoUse = (use: DatasetUse): Use =>
  use === "training" ? Use.TRAINING : use === "evaluation" ? Use.EVALUATION : Use.RANKING;

/** The dataset's name: it depends on its columns and its rows, not on files, threads or when it was built. */
export function datasetName(
  manifest: Pick<DatasetManifest, "columns" | "partitions" | "use" | "model">,
): string {
  const columns = manifest.columns.map(({ name, type }) => [name, type]);
  const partitions = manifest.partitions.map(({ partition, rowHash }) => [partition, rowHash]);
  return contentName({ columns, partitions, use: manifest.use, model: manifest.model });
}

export const manifestObject = (dataset: string): string => `manifests/${dataset}.json`;
export const partitionObject = (inputsDigest: string): string => `partitions/${inputsDigest}.json`;

export const writeManifest = (manifest: DatasetManifest): Uint8Array =>
  Buffer.from(JSON.stringify(toJson(DatasetManifestSchema, manifest)));

export const readManifest = (bytes: Uint8Array): DatasetManifest =>
  fromJson(DatasetManifestSchema, JSON.parse(Buffer.from(bytes).toString()) as JsonValue);

/** A built partition as the manifest lists it. */
export function partitionMessage(
  built: PartitionFacts & { readonly partition: string },
  inputsDigest: string,
  object: { readonly name: string; readonly bytes: number; readonly sha256: string },
): MessageInitShape<typeof PartitionSchema> {
  return {
    partition: built.partition,
    object: { name: object.name, bytes: BigInt(object.bytes), sha256: object.sha256 },
    rowHash: built.rowHash,
    rows: BigInt(built.rows),
    positives: BigInt(built.positives),
    exampleTimeMinMs: BigInt(built.exampleTimeMinMs),
    exampleTimeMaxMs: BigInt(built.exampleTimeMaxMs),
    inputsDigest,
    slices: built.slices.map((s) => ({
      ...s,
      rows: BigInt(s.rows),
      positives: BigInt(s.positives),
    })),
  };
}

/** The manifest of built partitions, without its name. */
export function manifestOf(
  plan: DatasetPlan,
  columns: readonly { readonly name: string; readonly type: string }[],
  partitions: readonly Partition[],
): MessageInitShape<typeof DatasetManifestSchema> {
  const filled = partitions.filter((p) => p.rows > 0n);
  const sum = (of: (p: Partition) => bigint): bigint =>
    filled.reduce((total, p) => total + of(p), 0n);
  const times = filled.flatMap((p) => [Number(p.exampleTimeMinMs), Number(p.exampleTimeMaxMs)]);
  const sources = Object.entries(plan.sources);
  const segments = sources.flatMap(([, source]) => source.segments);
  const origins = sources.flatMap(([name, source]) =>
    source.segments.map((s) => originOf(name, s)),
  );
  return {
    model: plan.model,
    use: protoUse(plan.use),
    columns: columns.map(({ name, type }) => ({ name, type })),
    partitions: [...partitions],
    rows: sum((p) => p.rows),
    positives: sum((p) => p.positives),
    exampleTimeMinMs: BigInt(times.length === 0 ? 0 : Math.min(...times)),
    exampleTimeMaxMs: BigInt(times.length === 0 ? 0 : Math.max(...times)),
    inputs: [
      ...[...new Set(plan.features.map((f) => f.view))].map((view) => `view:${view}`),
      ...sources.map(([name]) => `source:${name}`),
      ...segments.map((s) => `segment:${s.rowHash}`),
    ],
    segments: origins,
    samplingJson: JSON.stringify(samplingOf(plan)),
    slices: slicesOf(filled),
    watermarkTimeMs: BigInt(Math.max(0, ...segments.map((s) => s.availableTimeMaxMs))),
    branches: Object.fromEntries(
      sources.flatMap(([name, { branch }]) => (branch === "main" ? [] : [[name, branch]])),
    ),
    sourceEvents: Object.fromEntries(
      sources.map(([name, source]) => [
        name,
        BigInt(source.segments.reduce((n, s) => n + s.events, 0)),
      ]),
    ),
  };
}

/** What a source may have replaced when somebody asks, and a dataset still knows. */
function originOf(
  source: string,
  { rowHash, fileName, events, window, traceparent = "" }: SegmentFile,
): MessageInitShape<typeof SegmentOriginSchema> {
  const log = (window?.log ?? []).map(writeLogRange);
  return { source, rowHash, fileName, events: BigInt(events), log, traceparent };
}

function samplingOf({ examples, use }: DatasetPlan): unknown {
  if (examples.kind === "rows") return { holdoutShare: examples.holdoutShare ?? 0 };
  return use === "ranking" ? { ranking: examples.ranking } : { negatives: examples.negatives };
}

function slicesOf(
  partitions: readonly Partition[],
): { slice: string; rows: bigint; positives: bigint }[] {
  const all = new Map<string, { slice: string; rows: bigint; positives: bigint }>();
  for (const { slice, rows, positives } of partitions.flatMap((p) => p.slices)) {
    const known = all.get(slice) ?? { slice, rows: 0n, positives: 0n };
    all.set(slice, { slice, rows: known.rows + rows, positives: known.positives + positives });
  }
  return [...all.values()].sort((a, b) => (a.slice < b.slice ? -1 : 1));
}

export const writePartitionMessage = (partition: Partition): Uint8Array =>
  Buffer.from(JSON.stringify(toJson(PartitionSchema, partition)));

export const readPartitionMessage = (bytes: Uint8Array): Partition =>
  fromJson(PartitionSchema, JSON.parse(Buffer.from(bytes).toString()) as JsonValue);
