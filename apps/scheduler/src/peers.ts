import { EvaluatorService } from "@heddle/proto/evaluator";
import { RegistryService } from "@heddle/proto/registry";
import { SyncService } from "@heddle/proto/sync";
import { type Client, connect } from "@heddle/rpc";
import type { Telemetry } from "@heddle/telemetry";

/** Addresses of other services, `host:port`; every job gets all of them. */
export type Peers = Readonly<
  Record<"registry" | "featureStore" | "evaluator" | "sync", string> & Record<string, string>
>;

/** Other services that the scheduler asks by itself. */
export interface Clients {
  readonly registry: Client<typeof RegistryService>;
  readonly evaluator: Client<typeof EvaluatorService>;
  readonly sync: Client<typeof SyncService>;
}

/** @param stack closes them. */
export function connectPeers(
  peers: Peers,
  telemetry: Telemetry,
  stack: AsyncDisposableStack,
): Clients {
  const options = { telemetry, actor: "scheduler" };
  return {
    registry: stack.use(connect(RegistryService, peers.registry, options)),
    evaluator: stack.use(connect(EvaluatorService, peers.evaluator, options)),
    sync: stack.use(connect(SyncService, peers.sync, options)),
  };
}
