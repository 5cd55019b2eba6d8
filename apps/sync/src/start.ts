import type { ServiceParts } from "@heddle/backends";
import { startTurns } from "@heddle/base";
import { ModelServerService } from "@heddle/proto/model-server";
import { RegistryService } from "@heddle/proto/registry";
import { connect, openPeer, type Running, serveOver } from "@heddle/rpc";
import { relayOutbox } from "@heddle/store";
import { Limits } from "./config.ts";
import { keepReconciled } from "./reconcile.ts";
import type { RolloutDeps } from "./rollouts.ts";
import { syncService } from "./service.ts";
import { openFleetStore } from "./store.ts";
import { openTarget } from "./target.ts";

export interface SyncDeps extends ServiceParts {
  /** The model server's address is asked at each call: restarted, it may have another. */
  readonly peers: { readonly registry: string; readonly modelServer: () => string };
  /** Name of the fleet that the model server is; `main` when absent. */
  readonly fleet?: string;
  readonly limits?: Partial<Limits>;
}

/**
 * Starts sync over the given backends, which stay their opener's to close. Its loop begins at once
 * to load what should serve, and to finish a rollout that a crash left open.
 */
export async function startSync(deps: SyncDeps): Promise<Running> {
  const { store, eventLog, objects, clock, random, telemetry, peers, address, needs } = deps;
  const limits = Limits.parse(deps.limits ?? {});
  const options = { telemetry, actor: "sync" };
  const stop = new AbortController();
  const loops: Promise<void>[] = [];
  await using stack = new AsyncDisposableStack();
  // Last of all: the calls that they wait for end as their clients close.
  stack.defer(async () => void (await Promise.all(loops)));
  const registry = stack.use(connect(RegistryService, peers.registry, options));
  const modelServer = stack.use(openPeer(ModelServerService, peers.modelServer, options));
  stack.defer(() => stop.abort());
  const { traceparent } = telemetry;
  const rollouts: RolloutDeps = {
    fleet: deps.fleet ?? "main",
    store: openFleetStore({ store, clock, random, traceparent }),
    target: openTarget({ modelServer, objects, clock, limits }),
    registry,
    clock,
    limits,
    telemetry,
  };
  // One change of the fleet at a time: requests and the loop would undo each other's work.
  const inTurn = startTurns();
  const implementations = [syncService(rollouts, inTurn)];
  const running = await serveOver(stack, { implementations, telemetry, address, needs });
  const relay = { service: "sync", clock, random, log: telemetry.log };
  loops.push(
    relayOutbox([rollouts.store.outbox], eventLog, relay, stop.signal),
    keepReconciled(rollouts, inTurn, stop.signal),
  );
  return running;
}
