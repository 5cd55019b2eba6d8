import { EvaluatorService } from "@heddle/proto/evaluator";
import { FeatureStoreService } from "@heddle/proto/feature-store";
import { ModelServerService } from "@heddle/proto/model-server";
import { RegistryService } from "@heddle/proto/registry";
import { SchedulerService } from "@heddle/proto/scheduler";
import { SyncService } from "@heddle/proto/sync";
import { connect } from "@heddle/rpc";
import type { Telemetry } from "@heddle/telemetry";

/** `host:port` of each service. */
export interface Addresses {
  readonly registry: string;
  readonly featureStore: string;
  readonly evaluator: string;
  readonly modelServer: string;
  readonly sync: string;
  readonly scheduler: string;
}

/** A client of every service of one host. */
export type Clients = ReturnType<typeof connectAll>;

export function connectAll(addresses: Addresses, telemetry: Telemetry, actor: string) {
  const options = { telemetry, actor };
  const clients = {
    registry: connect(RegistryService, addresses.registry, options),
    featureStore: connect(FeatureStoreService, addresses.featureStore, options),
    evaluator: connect(EvaluatorService, addresses.evaluator, options),
    modelServer: connect(ModelServerService, addresses.modelServer, options),
    sync: connect(SyncService, addresses.sync, options),
    scheduler: connect(SchedulerService, addresses.scheduler, options),
  };
  return {
    ...clients,
    telemetry,
    async [Symbol.asyncDispose](): Promise<void> {
      for (const client of Object.values(clients)) await client[Symbol.asyncDispose]();
    },
  };
}
