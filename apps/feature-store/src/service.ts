import { type Clock, HeddleError, type InTurnByKey } from "@heddle/base";
import type { EventLog } from "@heddle/eventlog";
import type { SegmentFile } from "@heddle/feature-engine";
import type { Objects } from "@heddle/objects";
import type { OnlineValues } from "@heddle/online";
import { FeatureStoreService } from "@heddle/proto/feature-store";
import { type CallContext, type Handlers, implement, type Implementation } from "@heddle/rpc";
import { type ChangeContext, changeContextOf, listAll } from "@heddle/store";
import { applyDefinition } from "./definitions/apply.ts";
import { commitDataset, datasetNamed, grantRead, manifestOfDataset } from "./dataset/commit.ts";
import { parseModel } from "./definitions/definition.ts";
import type { Engine } from "./engine/engine.ts";
import { ingest } from "./ingest/ingest.ts";
import type { PseudonymKey } from "./ingest/pseudonym-key.ts";
import { partitionObject, readPartitionMessage, useOf } from "./dataset/manifest.ts";
import { type Current, materialiseOnline, readCurrent } from "./online/materialise.ts";
import { checkModelReads } from "./definitions/model-reads.ts";
import { onlineFeatures } from "./online/online-features.ts";
import { planOf } from "./dataset/plan.ts";
import { resolveDataset } from "./dataset/resolve.ts";
import { segmentsOn } from "./definitions/source.ts";
import { appendEvents } from "./stream/append.ts";
import { openStreams } from "./stream/declared.ts";
import type { Cutting } from "./stream/loop.ts";
import { streamState } from "./stream/state.ts";
import type { FeatureStoreStore } from "./store.ts";

export interface ServiceDeps {
  readonly store: FeatureStoreStore;
  readonly objects: Objects;
  readonly online: OnlineValues;
  readonly engine: Engine;
  readonly clock: Clock;
  readonly pseudonymKey: PseudonymKey;
  readonly inTurn: InTurnByKey;
  readonly folder: string;
  readonly eventLog: EventLog;
  readonly waitingRecordsMax: number;
  readonly cutting: Pick<Cutting, "wake" | "problemOf">;
}

/** The RPCs of the feature store. */
export function featureStoreService(deps: ServiceDeps): Implementation {
  return implement(FeatureStoreService, {
    ...sourceCalls(deps),
    ...streamCalls(deps),
    ...datasetCalls(deps),
    ...onlineCalls(deps),
  });
}

type Calls = Handlers<typeof FeatureStoreService, CallContext>;

function sourceCalls(
  deps: ServiceDeps,
): Pick<Calls, "applyDefinition" | "listDefinitions" | "checkModel" | "ingest" | "getSource"> {
  const { store } = deps;
  return {
    applyDefinition: (request, call) =>
      applyDefinition(request.definitionJson, changeContextOf(request, call), deps),
    listDefinitions: (request) => listDefinitions(request, store),
    checkModel: async (request) => {
      const model = parseModel(request.modelDefinitionJson);
      checkModelReads(model, (await planOf(store, model, "training", {})).features);
      return {};
    },
    ingest: async (requests, call) => {
      const { segments, ...counts } = await ingest(requests, actorOf(call), deps);
      return {
        events: BigInt(counts.events),
        duplicates: BigInt(counts.duplicates),
        differing: BigInt(counts.differing ?? 0),
        segments: segments.map(encodeSegment),
      };
    },
    getSource: async ({ source, branch }) => {
      const known = await store.sources.get(source);
      if (known === undefined) {
        throw new HeddleError(
          "NOT_FOUND",
          "UNKNOWN_SOURCE",
          `there is no source "${source}": apply its definition first`,
        );
      }
      return {
        definitionJson: JSON.stringify(known.state.definition),
        segments: segmentsOn(known.state, branch === "" ? "main" : branch).map(encodeSegment),
        revision: BigInt(known.revision),
      };
    },
  };
}

function streamCalls(deps: ServiceDeps): Pick<Calls, "appendEvents" | "getStream"> {
  const { cutting } = deps;
  const appending = {
    ...deps,
    streams: openStreams(deps.store),
    appended: (source: string) => cutting.wake(source),
  };
  return {
    appendEvents: async ({ source, events }) => {
      await appendEvents(source, events, appending);
      return {};
    },
    getStream: ({ source }) => streamState(source, deps, cutting.problemOf(source)),
  };
}

function datasetCalls(
  deps: ServiceDeps,
): Pick<Calls, "resolveDataset" | "commitDataset" | "getDataset" | "grantRead"> {
  const { store, objects } = deps;
  return {
    resolveDataset: async (request) => {
      const model = parseModel(request.modelDefinitionJson);
      const range = { from: request.fromPartition, to: request.toPartition };
      const { plan, partitions } = await resolveDataset(
        store,
        model,
        useOf(request.use),
        range,
        request.branches,
      );
      return {
        planJson: JSON.stringify(plan),
        partitions: await Promise.all(
          partitions.map(async ({ partition, inputsDigest }) => {
            const built = await builtPartition(inputsDigest, objects);
            return { partition, inputsDigest, ...(built === undefined ? {} : { built }) };
          }),
        ),
      };
    },
    commitDataset: async (request, call) => {
      if (request.manifest === undefined) {
        throw new HeddleError(
          "INVALID_ARGUMENT",
          "MANIFEST_INVALID",
          "the request has no manifest",
        );
      }
      return {
        dataset: await commitDataset(request.manifest, changeContextOf(request, call), deps),
      };
    },
    getDataset: async ({ dataset }) => {
      const known = await datasetNamed(store, dataset);
      const manifest = await manifestOfDataset(known, objects);
      const { committedTimeMs, traceparent = "" } = known.state;
      return { manifest, committedTimeMs: BigInt(committedTimeMs), traceparent };
    },
    grantRead: async (request, call) => {
      const grant = await grantRead(request, actorOf(call), deps);
      const known = await datasetNamed(store, request.dataset);
      const manifest = await manifestOfDataset(known, objects);
      const { traceparent = "" } = known.state;
      const expiresTimeMs = BigInt(grant.expiresTimeMs);
      return { grantId: grant.grant, expiresTimeMs, manifest, traceparent };
    },
  };
}

function onlineCalls(deps: ServiceDeps): Pick<Calls, "materialise" | "getOnlineFeatures"> {
  const { store, online, pseudonymKey } = deps;
  return {
    materialise: async (request) => {
      const plan = await planOf(store, parseModel(request.modelDefinitionJson), "training", {});
      const { keys, asOfMs } = await materialiseOnline(plan, Number(request.asOfTimeMs), deps);
      return { rows: BigInt(keys), asOfTimeMs: BigInt(asOfMs) };
    },
    getOnlineFeatures: async (request) => {
      const plan = await planOf(store, parseModel(request.modelDefinitionJson), "training", {});
      const pseudonymKeyHex = await pseudonymKey.hex();
      const read = async (current: Current) => {
        const reader = { plan, current, online, pseudonymKeyHex };
        const rows = await onlineFeatures(reader, request.examplesJson, request.withCandidates);
        return { rowsJson: JSON.stringify(rows), asOfTimeMs: BigInt(current.asOfMs) };
      };
      return await readCurrent(plan, online, read, Number(request.notBeforeTimeMs));
    },
  };
}

const actorOf = ({
  actor,
  traceparent,
}: CallContext): Pick<ChangeContext, "actor" | "traceparent"> =>
  traceparent === undefined ? { actor } : { actor, traceparent };

const pageSizeDefault = 100;

async function listDefinitions(
  { pageSize, pageToken }: { readonly pageSize: number; readonly pageToken: string },
  store: FeatureStoreStore,
) {
  const sources = (await listAll(store.sources)).map(({ id, state }) => ({
    kind: "source",
    id,
    state,
  }));
  const views = (await listAll(store.views)).map(({ id, state }) => ({
    kind: "feature-view",
    id,
    state,
  }));
  const all = [...views, ...sources].map(({ kind, id, state }) => ({
    kind,
    name: id,
    digest: state.digest,
    json: JSON.stringify(state.definition),
    author: state.author,
    appliedTimeMs: BigInt(state.appliedTimeMs),
  }));
  const start =
    pageToken === "" ? 0 : all.findIndex((d) => `${d.kind}/${d.name}` === pageToken) + 1;
  const size = pageSize === 0 ? pageSizeDefault : pageSize;
  const definitions = all.slice(start, start + size);
  const last = definitions.at(-1);
  const more = start + size < all.length && last !== undefined;
  return { definitions, nextPageToken: more ? `${last.kind}/${last.name}` : "" };
}

/** What an earlier build of the same inputs made, if its file is still there. */
async function builtPartition(inputsDigest: string, objects: Objects) {
  const name = partitionObject(inputsDigest);
  if ((await objects.head(name)) === undefined) return undefined;
  const partition = readPartitionMessage(await objects.get(name));
  const { object } = partition;
  return object !== undefined && (await objects.head(object.name))?.sha256 === object.sha256
    ? partition
    : undefined;
}

function encodeSegment(segment: SegmentFile) {
  const { object } = segment;
  return {
    object: { name: object.name, bytes: BigInt(object.bytes), sha256: object.sha256 },
    rowHash: segment.rowHash,
    events: BigInt(segment.events),
    eventTimeMinMs: BigInt(segment.eventTimeMinMs),
    eventTimeMaxMs: BigInt(segment.eventTimeMaxMs),
    availableTimeMaxMs: BigInt(segment.availableTimeMaxMs),
    fileName: segment.fileName,
  };
}
