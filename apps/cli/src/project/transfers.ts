import type { Definition, ModelDefinition } from "@heddle/sdk";
import type { Clients } from "../host/clients.ts";

const timeoutMs = 30_000;

/**
 * Compares what models take over from versions with what these have, before a dataset is built for it. The learner does it again.
 *
 * @throws {HeddleError} NOT_FOUND UNKNOWN_VERSION; FAILED_PRECONDITION TRANSFER_DIFFERS.
 */
export async function checkTransfers(
  { registry }: Pick<Clients, "registry">,
  definitions: readonly Definition[],
): Promise<void> {
  for (const definition of definitions) {
    if (definition.kind !== "model" || definition.training.transfer === undefined) continue;
    const { from } = definition.training.transfer;
    const { version } = await registry.getVersion({ version: from }, { timeoutMs });
    const configuration = version?.recipe?.configuration ?? "";
    const found = await registry.getConfiguration({ configuration }, { timeoutMs });
    const { takenOver } = await import("@heddle/model");
    takenOver(definition, JSON.parse(found.definitionJson) as ModelDefinition);
  }
}
