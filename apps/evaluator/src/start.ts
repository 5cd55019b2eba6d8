import type { ServiceParts } from "@heddle/backends";
import { RegistryService } from "@heddle/proto/registry";
import { connect, type Running, serveOver } from "@heddle/rpc";
import { startRelay } from "@heddle/store";
import { evaluatorService } from "./service.ts";
import { openEvaluatorStore } from "./store.ts";

export interface EvaluatorDeps extends ServiceParts {
  /** `host:port` of the registry. */
  readonly peers: { readonly registry: string };
}

/** Starts the evaluator over the given backends, which stay their opener's to close. */
export async function startEvaluator(deps: EvaluatorDeps): Promise<Running> {
  const { eventLog, objects, clock, random, telemetry, peers, address, needs } = deps;
  await using stack = new AsyncDisposableStack();
  const store = openEvaluatorStore(deps);
  const registry = stack.use(
    connect(RegistryService, peers.registry, { telemetry, actor: "evaluator" }),
  );
  const outboxes = [store.metrics.outbox, store.evaluations.outbox];
  const relay = { service: "evaluator", clock, random, log: telemetry.log };
  stack.use(startRelay(outboxes, eventLog, relay));
  const service = evaluatorService({ store, objects, registry });
  return await serveOver(stack, { implementations: [service], telemetry, address, needs });
}
