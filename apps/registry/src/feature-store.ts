import { isHeddleError } from "@heddle/base";
import {
  type DatasetManifest,
  type Definition,
  FeatureStoreService,
  type Segment,
} from "@heddle/proto/feature-store";
import { type Client, connect } from "@heddle/rpc";
import type { Telemetry } from "@heddle/telemetry";

/** What the registry asks the feature store. Unknown things are undefined; UNAVAILABLE passes. */
export interface FeatureStore extends AsyncDisposable {
  dataset(name: string): Promise<DatasetManifest | undefined>;
  /** Every source and feature view, by `source:NAME` or `view:NAME@N`. */
  definitions(): Promise<ReadonlyMap<string, Definition>>;
  segments(source: string): Promise<readonly Segment[]>;
}

const timeoutMs = 10_000;

/**
 * A client that connects when it is first asked, because a feature store may start after the
 * registry and, restarted, have another address.
 */
export function openFeatureStore(address: () => string, telemetry: Telemetry): FeatureStore {
  let current:
    { readonly address: string; readonly client: Client<typeof FeatureStoreService> } | undefined;
  const client = async (): Promise<Client<typeof FeatureStoreService>> => {
    const now = address();
    if (current?.address !== now) {
      await current?.client[Symbol.asyncDispose]();
      const options = { telemetry, actor: "registry" };
      current = { address: now, client: connect(FeatureStoreService, now, options) };
    }
    return current.client;
  };
  return {
    dataset: async (name) => {
      const { getDataset } = await client();
      const found = await unlessUnknown(getDataset({ dataset: name }, { timeoutMs }));
      return found?.manifest;
    },
    definitions: async () => {
      const { listDefinitions } = await client();
      const all = new Map<string, Definition>();
      let pageToken = "";
      do {
        const page = await listDefinitions({ pageSize: 100, pageToken }, { timeoutMs });
        for (const definition of page.definitions) {
          const kind = definition.kind === "source" ? "source" : "view";
          all.set(`${kind}:${definition.name}`, definition);
        }
        pageToken = page.nextPageToken;
      } while (pageToken !== "");
      return all;
    },
    segments: async (source) => {
      const { getSource } = await client();
      return (await unlessUnknown(getSource({ source }, { timeoutMs })))?.segments ?? [];
    },
    [Symbol.asyncDispose]: async () => {
      await current?.client[Symbol.asyncDispose]();
    },
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
