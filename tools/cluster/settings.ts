import { join } from "node:path";
import type { Addresses } from "../../apps/cli/src/host/clients.ts";
import type { programs } from "../../apps/cli/src/host/programs.ts";

/** What the services of a cluster have around them, wherever it runs. */
export interface Surroundings {
  /** Folder in which each service keeps what no server keeps. */
  readonly state: string;
  /** How a service names the servers in its settings. */
  readonly servers: {
    readonly storeUrl: string;
    readonly logUrl: string;
    readonly objects: string;
  };
  /** Where spans and metrics are sent; files in the state folder have them when absent. */
  readonly otlpEndpoint?: string;
  /** Key of the pseudonyms. */
  readonly pseudonymKeyFile: string;
  /** Main files of the jobs. */
  readonly programs: typeof programs;
}

/** The settings of each service, by the folder of its program in `apps`. */
export function settingsOf(surroundings: Surroundings, at: Addresses) {
  const { state, servers, otlpEndpoint, pseudonymKeyFile, programs } = surroundings;
  const { registry, featureStore, evaluator, modelServer, sync } = at;
  const folder = join(state, "telemetry");
  const telemetry = { folder, ...(otlpEndpoint !== undefined && { otlpEndpoint }) };
  const backends = (service: string) => ({
    ...{ ...servers, telemetry },
    state: join(state, service),
  });
  const { objects } = servers;
  return {
    registry: { ...backends("registry"), address: registry, featureStore },
    "feature-store": { ...backends("feature-store"), address: featureStore, pseudonymKeyFile },
    evaluator: { ...backends("evaluator"), address: evaluator, registry },
    "model-server": { telemetry, objects, address: modelServer, copies: join(state, "copies") },
    sync: { ...backends("sync"), address: sync, registry, modelServer },
    scheduler: {
      ...{ ...backends("scheduler"), address: at.scheduler, programs },
      peers: { registry, featureStore, evaluator, sync },
    },
  };
}
