import { randomUUID } from "node:crypto";
import type { CheckedModel } from "@heddle/model";
import type { Definition } from "@heddle/sdk";
import type { Clients } from "../host/clients.ts";
import { appliedName } from "./load.ts";
import { checkModules } from "./modules.ts";
import { checkReferences } from "./references.ts";
import { checkTransfers } from "./transfers.ts";

export interface Applied {
  readonly kind: Definition["kind"];
  readonly name: string;
  /** False when it was registered already. */
  readonly created: boolean;
  /** How the training steps of a model with a network of its own will run. */
  readonly runs?: CheckedModel;
}

const timeoutMs = 30_000;

/**
 * Registers definitions with the service that owns each kind, once all networks were tried out, and what they name is there. Repeating it
 * changes nothing; going back to earlier ones is a change like any other.
 */
export async function applyDefinitions(
  clients: Clients,
  definitions: readonly Definition[],
): Promise<Applied[]> {
  const checked = await checkModules(definitions);
  await checkTransfers(clients, definitions);
  await checkReferences(clients, definitions);
  const applied: Applied[] = [];
  for (const definition of definitions) {
    const json = JSON.stringify(definition);
    // Not named by its content: after another one was applied, the same definition again is not the same request.
    const request = { requestId: randomUUID(), definitionJson: json };
    const created = await register(clients, definition, request);
    const runs = definition.kind === "model" ? checked.get(definition.name) : undefined;
    const name = appliedName(definition);
    applied.push({ kind: definition.kind, name, created, ...(runs === undefined ? {} : { runs }) });
  }
  return applied;
}

async function register(
  clients: Clients,
  { kind }: Definition,
  request: { readonly requestId: string; readonly definitionJson: string },
): Promise<boolean> {
  switch (kind) {
    case "source":
    case "feature-view":
      return (await clients.featureStore.applyDefinition(request, { timeoutMs })).created;
    case "model":
      return (await clients.registry.createConfiguration(request, { timeoutMs })).created;
    case "metric":
      await clients.evaluator.applyMetric(request, { timeoutMs });
      return true;
    case "pipeline":
      await clients.scheduler.applyPipeline(request, { timeoutMs });
      return true;
  }
}
