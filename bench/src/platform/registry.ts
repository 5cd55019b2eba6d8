import { sha256, systemClock } from "@heddle/base";
import { openLocalLog } from "@heddle/eventlog";
import { openFileObjects } from "@heddle/objects";
import { FeatureStoreService } from "@heddle/proto/feature-store";
import { RegistryService } from "@heddle/proto/registry";
import { startRegistry } from "@heddle/registry";
import { connect, implementSome, serve } from "@heddle/rpc";
import { category, defineModel, defineSource, embedding, type ModelDefinition } from "@heddle/sdk";
import { type DocumentStore, openLmdbEnvironment } from "@heddle/store";
import { silentTelemetry } from "@heddle/telemetry";
import type { TemporaryFolder } from "@heddle/testkit";

const dataset = sha256("dataset");
const soon = { timeoutMs: 30_000 };

/** A registry over the given documents, with one run to write to. */
export interface WrittenRegistry extends AsyncDisposable {
  /** Key of the run's document. */
  readonly run: string;
  /** One change of the run by gRPC: a newer snapshot is recorded. */
  write(): Promise<void>;
}

/** Events and objects lie in the folder. */
export async function openWrittenRegistry(
  store: DocumentStore,
  folder: TemporaryFolder,
): Promise<WrittenRegistry> {
  const stack = new AsyncDisposableStack();
  const [clock, random, telemetry] = [systemClock, Math.random, silentTelemetry()];
  const place = { path: folder.file("log"), mapBytesMax: 1 << 30 };
  const environment = stack.use(openLmdbEnvironment(place));
  const eventLog = stack.use(openLocalLog(environment, { clock, random }));
  const objects = await openFileObjects({ path: folder.file("objects") });
  const features = stack.use(await serveFeatures());
  const running = stack.use(
    await startRegistry({
      ...{ store, eventLog, objects, clock, random, telemetry },
      peers: { featureStore: () => features.address },
    }),
  );
  const registry = stack.use(
    connect(RegistryService, running.address, { telemetry, actor: "bench" }),
  );
  const asked = { requestId: "configuration", definitionJson: JSON.stringify(definition) };
  const { configuration } = await registry.createConfiguration(asked, soon);
  const recipe = { configuration, dataset, parentVersion: "", environmentJson: "{}" };
  const { run } = await registry.createRun({ requestId: "run", recipe }, soon);
  const object = await objects.put("snapshot", Buffer.from("snapshot"));
  const manifest = { ...object, bytes: BigInt(object.bytes) };
  let step = 0;
  return {
    run,
    write: async () => {
      step += 1;
      const snapshot = { step: BigInt(step), manifest };
      await registry.recordSnapshot({ requestId: `snapshot-${step}`, run, snapshot }, soon);
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** What a registry asks about one dataset; nothing else is served. */
function serveFeatures() {
  const implementations = [
    implementSome(FeatureStoreService, {
      checkModel: () => Promise.resolve({}),
      getDataset: () => {
        const facts = { dataset, rows: 10n, positives: 3n, inputs: ["source:clicks"] };
        return Promise.resolve({ manifest: { ...facts, sourceEvents: {} } });
      },
      listDefinitions: () => {
        const json = JSON.stringify(source);
        return Promise.resolve({
          definitions: [{ kind: "source", name: "clicks", json, author: "b" }],
        });
      },
    }),
  ];
  return serve({ implementations, telemetry: silentTelemetry() });
}

const source = defineSource({
  ...{ name: "clicks", owner: "web", licence: "internal", lawfulBasis: "contract" },
  ...{ retentionDays: 365, jurisdiction: "US", purposes: ["ranking"] },
  columns: { at: "timestamp", clicked: "boolean", store: "string" },
  eventId: ["at"],
  eventTime: "at",
  available: { rule: "at-event" },
});

const definition: ModelDefinition = defineModel({
  ...{ name: "bench-ranking", owner: "web", author: "b", purpose: "ranking" },
  examples: { kind: "rows", source: "clicks", label: "clicked", holdoutShare: 0.2 },
  partitioning: { by: "time", unit: "week" },
  views: [],
  inputs: [embedding("store", category("store"))],
  architecture: { kind: "dcn-v2", dimension: 4, crossLayers: 2, hidden: [8] },
  training: {
    ...{ batchSize: 32, seed: 1, embeddingDeviation: 0.01, snapshotSteps: 100, lag: 0 },
    optimizer: { kind: "adagrad", embeddingRate: 0.1, denseRate: 0.05, initialAccumulator: 0.1 },
  },
  metrics: [],
  slices: [],
  gate: {
    ...{ aucDropMax: 0.01, logLossRiseMax: 0.01, calibrationErrorMax: 0.1 },
    ...{ beatFallback: true, positivesMin: 100, sliceShareChangeMax: 2 },
  },
  fallback: { name: "popular", feature: "popularity" },
});
