import type { Clock } from "@heddle/base";
import type { EventLog } from "@heddle/eventlog";
import type { Objects } from "@heddle/objects";
import { type Need, serve } from "@heddle/rpc";
import { type DocumentStore, relayOutbox } from "@heddle/store";
import type { Telemetry } from "@heddle/telemetry";
import { Limits } from "./config.ts";
import { openFeatureStore } from "./feature-store.ts";
import { registryService } from "./service.ts";
import { openRegistryStore } from "./store.ts";

export interface RegistryDeps {
  readonly store: DocumentStore;
  readonly eventLog: EventLog;
  readonly objects: Objects;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly telemetry: Telemetry;
  /** Addresses, asked when needed: the feature store may start after the registry. */
  readonly peers: { readonly featureStore: () => string };
  /** `host:port` to listen on; any free port of 127.0.0.1 when absent. */
  readonly address?: string;
  /** What is elsewhere and must be well for the service to be. */
  readonly needs?: readonly Need[];
  readonly limits?: Partial<Limits>;
}

/** A service that runs until it is disposed. */
export interface Running {
  /** `host:port` it listens on. */
  readonly address: string;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts the registry over the given backends, which stay their opener's to close. */
export async function startRegistry(deps: RegistryDeps): Promise<Running> {
  const { eventLog, objects, clock, random, telemetry, peers } = deps;
  const registry = openRegistryStore(deps);
  const features = openFeatureStore(peers.featureStore, telemetry);
  const limits = Limits.parse(deps.limits ?? {});
  const service = registryService({ registry, objects, features, clock, limits });
  const server = await serve({
    implementations: [service],
    telemetry,
    ...(deps.address === undefined ? {} : { address: deps.address }),
    ...(deps.needs === undefined ? {} : { needs: deps.needs }),
  });
  const stop = new AbortController();
  const { families, configurations, runs, versions } = registry;
  const outboxes = [families, configurations, runs, versions].map(({ outbox }) => outbox);
  const relay = { service: "registry", clock, random, log: telemetry.log };
  const relayed = relayOutbox(outboxes, eventLog, relay, stop.signal);
  return {
    address: server.address,
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      stop.abort();
      await relayed;
      await features[Symbol.asyncDispose]();
    },
  };
}
