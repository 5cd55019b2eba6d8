import { HeddleError, isHeddleError } from "@heddle/base";
import { didYouMean } from "@heddle/config";
import type { Definition } from "@heddle/sdk";
import type { Clients } from "../host/clients.ts";

const timeoutMs = 30_000;

/**
 * Looks for the models that pipelines train, among the definitions beside them and those that were applied before.
 *
 * @throws {HeddleError} INVALID_ARGUMENT UNKNOWN_MODEL naming pipeline and model.
 */
export async function checkPipelines(
  { registry }: Pick<Clients, "registry">,
  definitions: readonly Definition[],
): Promise<void> {
  const beside = new Set(
    definitions.filter(({ kind }) => kind === "model").map(({ name }) => name),
  );
  for (const definition of definitions) {
    if (definition.kind !== "pipeline" || beside.has(definition.model)) continue;
    const { name, model } = definition;
    try {
      await registry.getConfiguration({ model }, { timeoutMs });
    } catch (error) {
      if (!isHeddleError(error, "UNKNOWN_MODEL")) throw error;
      const meant = didYouMean(model, beside);
      const remedy =
        meant === undefined ? "define it beside the pipeline" : `did you mean "${meant}"?`;
      throw new HeddleError(
        "INVALID_ARGUMENT",
        "UNKNOWN_MODEL",
        `pipeline ${name} trains the model "${model}", which nobody defined: ${remedy}`,
        { cause: error },
      );
    }
  }
}
