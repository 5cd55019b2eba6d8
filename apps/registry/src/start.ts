import type { ServiceParts } from "@heddle/backends";
import { type Running, serveOver } from "@heddle/rpc";
import { startRelay } from "@heddle/store";
import { Limits } from "./config.ts";
import { openFeatureStore } from "./feature-store.ts";
import { registryService } from "./service.ts";
import { openRegistryStore } from "./store.ts";

export interface RegistryDeps extends ServiceParts {
  /** Addresses, asked when needed: the feature store may start after the registry. */
  readonly peers: { readonly featureStore: () => string };
  readonly limits?: Partial<Limits>;
}

/** Starts the registry over the given backends, which stay their opener's to close. */
export async function startRegistry(deps: RegistryDeps): Promise<Running> {
  const { eventLog, objects, clock, random, telemetry, peers, address, needs } = deps;
  await using stack = new AsyncDisposableStack();
  const registry = openRegistryStore(deps);
  const features = stack.use(openFeatureStore(peers.featureStore, telemetry));
  const { families, configurations, runs, versions } = registry;
  const outboxes = [families, configurations, runs, versions].map(({ outbox }) => outbox);
  const relay = { service: "registry", clock, random, log: telemetry.log };
  stack.use(startRelay(outboxes, eventLog, relay));
  const limits = Limits.parse(deps.limits ?? {});
  const service = registryService({ registry, objects, features, clock, limits });
  return await serveOver(stack, { implementations: [service], telemetry, address, needs });
}
