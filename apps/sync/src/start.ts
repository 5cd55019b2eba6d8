import type { Clock } from "@heddle/base";
import type { EventLog } from "@heddle/eventlog";
import type { Objects } from "@heddle/objects";
import { ModelServerService } from "@heddle/proto/model-server";
import { RegistryService } from "@heddle/proto/registry";
import { connect, openPeer, type Need, serve } from "@heddle/rpc";
import { type DocumentStore, relayOutbox } from "@heddle/store";
import type { Telemetry } from "@heddle/telemetry";
import { Limits } from "./config.ts";
import { keepReconciled } from "./reconcile.ts";
import type { RolloutDeps } from "./rollouts.ts";
import { syncService } from "./service.ts";
import { openFleetStore } from "./store.ts";
import { openTarget } from "./target.ts";

export interface SyncDeps {
  readonly store: DocumentStore;
  readonly eventLog: EventLog;
  readonly objects: Objects;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly telemetry: Telemetry;
  /** The model server's address is asked at each call: restarted, it may have another. */
  readonly peers: { readonly registry: string; readonly modelServer: () => string };
  /** Name of the fleet that the model server is; `main` when absent. */
  readonly fleet?: string;
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

/**
 * Starts sync over the given backends, which stay their opener's to close. Its loop begins at once
 * to load what should serve, and to finish a rollout that a crash left open.
 */
export async function startSync(deps: SyncDeps): Promise<Running> {
  const { store, eventLog, objects, clock, random, telemetry, peers } = deps;
  const limits = Limits.parse(deps.limits ?? {});
  const options = { telemetry, actor: "sync" };
  const modelServer = openPeer(ModelServerService, peers.modelServer, options);
  const registry = connect(RegistryService, peers.registry, options);
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
  const inTurn = startTurns();
  const server = await serve({
    implementations: [syncService(rollouts, inTurn)],
    telemetry,
    ...(deps.address === undefined ? {} : { address: deps.address }),
    ...(deps.needs === undefined ? {} : { needs: deps.needs }),
  });
  const stop = new AbortController();
  const relay = { service: "sync", clock, random, log: telemetry.log };
  const loops = Promise.all([
    relayOutbox([rollouts.store.outbox], eventLog, relay, stop.signal),
    keepReconciled(rollouts, inTurn, stop.signal),
  ]);
  return {
    address: server.address,
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      stop.abort();
      // Before the loops: what they are waiting for must not outlast them.
      await modelServer[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
      await loops;
    },
  };
}

/** One change of the fleet at a time: requests and the loop would undo each other's work. */
function startTurns(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work, work);
    last = mine;
    return mine;
  };
}
