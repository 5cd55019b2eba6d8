import { create } from "@bufbuild/protobuf";
import { type Clock, contentName, HeddleError, isHeddleError } from "@heddle/base";
import { auditTopic, eventTopics } from "@heddle/eventlog";
import type { Objects } from "@heddle/objects";
import { type DatasetManifest, DatasetManifestSchema } from "@heddle/proto/feature-store";
import { type ChangeContext, createOnce, type Known } from "@heddle/store";
import { type Dataset, datasetEvent, granted, type Grant, grantMs } from "./dataset.ts";
import { datasetName, manifestObject, readManifest, writeManifest } from "./manifest.ts";
import type { FeatureStoreStore } from "../store.ts";

export interface DatasetDeps {
  readonly store: FeatureStoreStore;
  readonly objects: Objects;
  readonly clock: Clock;
}

/**
 * Registers a built dataset under the name its rows give it.
 *
 * @throws {HeddleError} FAILED_PRECONDITION EMPTY_DATASET, INVALID_ARGUMENT MANIFEST_INVALID.
 */
export async function commitDataset(
  built: DatasetManifest,
  context: ChangeContext,
  { store, objects, clock }: DatasetDeps,
): Promise<string> {
  checkManifest(built);
  for (const partition of built.partitions) await checkPartition(partition, objects);
  const name = datasetName(built);
  const manifest = create(DatasetManifestSchema, { ...built, dataset: name });
  const known = await store.datasets.get(name);
  if (known !== undefined) return name;
  const purposes = await purposesOf(manifest, store);
  const kept = await objects
    .put(manifestObject(name), writeManifest(manifest))
    .catch(async (error: unknown) => {
      // The same rows were built from other files before: their manifest stands.
      if (!isHeddleError(error, "OBJECT_DIFFERS")) throw error;
      const info = await objects.head(manifestObject(name));
      if (info === undefined) throw error;
      return info;
    });
  const state: Dataset = {
    dataset: name,
    model: manifest.model,
    rows: Number(manifest.rows),
    manifest: { name: kept.name, sha256: kept.sha256 },
    committedTimeMs: clock.now(),
    ...(context.traceparent !== undefined && { traceparent: context.traceparent }),
    purposes,
    grants: [],
  };
  const decision = { state, events: [datasetEvent(eventTopics.datasets, state)] };
  await createOnce(store.datasets, name, decision, context);
  return name;
}

function checkManifest(manifest: DatasetManifest): void {
  const { partitions, columns, model } = manifest;
  const rows = partitions.reduce((sum, p) => sum + p.rows, 0n);
  if (rows === 0n) throw empty(manifest);
  const wrong = partitions.find((p) => p.object === undefined || !/^[0-9a-f]{64}$/.test(p.rowHash));
  if (columns.length > 0 && wrong === undefined && rows === manifest.rows) return;
  throw new HeddleError(
    "INVALID_ARGUMENT",
    "MANIFEST_INVALID",
    `the manifest for model ${model} ${wrong === undefined ? "counts other rows than its partitions have, or has no columns" : `has no object or row hash for partition ${wrong.partition}`}: build it again`,
  );
}

function empty({ model, partitions, sourceEvents, branches }: DatasetManifest): HeddleError {
  const range = partitions.map((p) => p.partition);
  const sources = Object.entries(sourceEvents).map(([source, events]) => {
    const branch = branches[source] === undefined ? "" : ` (branch ${branches[source]})`;
    return `${source}${branch} ${events} events`;
  });
  return new HeddleError(
    "FAILED_PRECONDITION",
    "EMPTY_DATASET",
    `a dataset with no rows trains nothing: model ${model}, partitions ${range[0] ?? "none"} to ${range.at(-1) ?? "none"}, read ${sources.join(", ") || "no source"}; ingest what is missing or take another range`,
    { metadata: { model, from: range[0] ?? "", to: range.at(-1) ?? "" } },
  );
}

async function checkPartition(
  { partition, object }: DatasetManifest["partitions"][number],
  objects: Objects,
): Promise<void> {
  const info = object === undefined ? undefined : await objects.head(object.name);
  if (info?.sha256 === object?.sha256 && info !== undefined) return;
  throw new HeddleError(
    "INVALID_ARGUMENT",
    "MANIFEST_INVALID",
    `the file ${object?.name ?? ""} of partition ${partition} is not in the object store as the manifest says: build it again`,
  );
}

/** What every source behind a dataset allows. */
async function purposesOf(
  { inputs }: DatasetManifest,
  store: FeatureStoreStore,
): Promise<string[]> {
  const names = inputs.flatMap((input) =>
    input.startsWith("source:") ? [input.slice("source:".length)] : [],
  );
  const known = await Promise.all(names.map((name) => store.sources.get(name)));
  const purposes = known.map((source) => source?.state.definition.purposes ?? []);
  return (purposes[0] ?? []).filter((purpose) =>
    purposes.every((allowed) => allowed.includes(purpose)),
  );
}

export async function datasetNamed(
  store: FeatureStoreStore,
  name: string,
): Promise<Known<Dataset>> {
  const known = await store.datasets.get(name);
  if (known !== undefined) return known;
  throw new HeddleError(
    "NOT_FOUND",
    "UNKNOWN_DATASET",
    `there is no dataset "${name}": build it, or check its name`,
    {
      metadata: { dataset: name },
    },
  );
}

export async function manifestOfDataset(
  { state }: Known<Dataset>,
  objects: Objects,
): Promise<DatasetManifest> {
  return readManifest(await objects.get(state.manifest.name, state.manifest.sha256));
}

/**
 * Grants a reader the right to read a dataset for a purpose, and records it before it answers.
 *
 * @throws {HeddleError} PERMISSION_DENIED PURPOSE_NOT_ALLOWED, NOT_FOUND UNKNOWN_DATASET.
 */
export async function grantRead(
  {
    dataset,
    purpose,
    reader,
  }: { readonly dataset: string; readonly purpose: string; readonly reader: string },
  call: Pick<ChangeContext, "actor" | "traceparent">,
  { store, clock }: DatasetDeps,
): Promise<Grant> {
  const known = await datasetNamed(store, dataset);
  const expiresTimeMs = clock.now() + grantMs;
  const grant: Grant = {
    grant: contentName({ dataset, purpose, reader, expiresTimeMs, revision: known.revision }),
    purpose,
    reader,
    expiresTimeMs,
  };
  const context = { ...call, requestId: grant.grant, request: grant };
  await store.datasets.update(
    dataset,
    (state) => ({ state: granted(state, grant), events: [datasetEvent(auditTopic, state)] }),
    context,
  );
  return grant;
}
