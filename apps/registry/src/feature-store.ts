import { isHeddleError } from "@heddle/base";
import {
  type DatasetManifest,
  type Definition,
  FeatureStoreService,
} from "@heddle/proto/feature-store";
import { openPeer } from "@heddle/rpc";
import type { ModelDefinition } from "@heddle/sdk";
import type { Telemetry } from "@heddle/telemetry";

/** What the registry asks the feature store. Unknown things are undefined; UNAVAILABLE passes. */
export interface FeatureStore extends AsyncDisposable {
  dataset(name: string): Promise<DatasetManifest | undefined>;
  /** @throws {HeddleError} INVALID_ARGUMENT when the model reads what nobody registered. */
  checkModel(definition: ModelDefinition): Promise<void>;
  /** Every source and feature view, by `source:NAME` or `view:NAME@N`. */
  definitions(): Promise<ReadonlyMap<string, Definition>>;
}

const timeoutMs = 10_000;

/**
 * Asks the feature store at the address it has then: it may start after the registry and, restarted,
 * have another one.
 */
export function openFeatureStore(address: () => string, telemetry: Telemetry): FeatureStore {
  const peer = openPeer(FeatureStoreService, address, { telemetry, actor: "registry" });
  return {
    dataset: async (name) => {
      const asked = peer.client().getDataset({ dataset: name }, { timeoutMs });
      const found = await unlessUnknown(asked);
      return found?.manifest;
    },
    checkModel: async (definition) => {
      const modelDefinitionJson = JSON.stringify(definition);
      await peer.client().checkModel({ modelDefinitionJson }, { timeoutMs });
    },
    definitions: async () => {
      const all = new Map<string, Definition>();
      let pageToken = "";
      do {
        const page = await peer
          .client()
          .listDefinitions({ pageSize: 100, pageToken }, { timeoutMs });
        for (const definition of page.definitions) {
          const kind = definition.kind === "source" ? "source" : "view";
          all.set(`${kind}:${definition.name}`, definition);
        }
        pageToken = page.nextPageToken;
      } while (pageToken !== "");
      return all;
    },
    [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose](),
  };
}

async function unlessUnknown<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isHeddleError(error) && error.code === "NOT_FOUND") return undefined;
    throw error;
  }
}
