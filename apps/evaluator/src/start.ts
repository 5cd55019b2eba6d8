import type { Clock } from "@heddle/base";
import type { EventLog } from "@heddle/eventlog";
import type { Objects } from "@heddle/objects";
import { RegistryService } from "@heddle/proto/registry";
import { connect, type Need, serve } from "@heddle/rpc";
import { type DocumentStore, relayOutbox } from "@heddle/store";
import type { Telemetry } from "@heddle/telemetry";
import { evaluatorService } from "./service.ts";
import { openEvaluatorStore } from "./store.ts";

export interface EvaluatorDeps {
  readonly store: DocumentStore;
  readonly eventLog: EventLog;
  readonly objects: Objects;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly telemetry: Telemetry;
  /** `host:port` of the registry. */
  readonly peers: { readonly registry: string };
  /** `host:port` to listen on; any free port of 127.0.0.1 when absent. */
  readonly address?: string;
  /** What is elsewhere and must be well for the service to be. */
  readonly needs?: readonly Need[];
}

/** A service that runs until it is disposed. */
export interface Running {
  /** `host:port` it listens on. */
  readonly address: string;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts the evaluator over the given backends, which stay their opener's to close. */
export async function startEvaluator(deps: EvaluatorDeps): Promise<Running> {
  const { eventLog, objects, clock, random, telemetry, peers, address } = deps;
  const store = openEvaluatorStore(deps);
  const registry = connect(RegistryService, peers.registry, { telemetry, actor: "evaluator" });
  const server = await serve({
    implementations: [evaluatorService({ store, objects, registry })],
    telemetry,
    ...(address === undefined ? {} : { address }),
    ...(deps.needs === undefined ? {} : { needs: deps.needs }),
  });
  const stop = new AbortController();
  const outboxes = [store.metrics.outbox, store.evaluations.outbox];
  const relay = { service: "evaluator", clock, random, log: telemetry.log };
  const relayed = relayOutbox(outboxes, eventLog, relay, stop.signal);
  return {
    address: server.address,
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      stop.abort();
      await relayed;
      await registry[Symbol.asyncDispose]();
    },
  };
}
