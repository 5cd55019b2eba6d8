import { HeddleError, isHeddleError } from "@heddle/base";
import { didYouMean } from "@heddle/config";
import type { Definition } from "@heddle/sdk";
import type { Clients } from "../host/clients.ts";

const timeoutMs = 30_000;

/**
 * Looks for what pipelines and models name, among the definitions beside them and those that were applied before: the models that are
 * trained, and the metrics that judge them, which would be missed only when a training has ended.
 *
 * @throws {HeddleError} INVALID_ARGUMENT UNKNOWN_MODEL, UNKNOWN_METRIC naming who names it.
 */
export async function checkReferences(
  { registry, evaluator }: Pick<Clients, "registry" | "evaluator">,
  definitions: readonly Definition[],
): Promise<void> {
  const beside = (kind: Definition["kind"]): string[] =>
    definitions.filter((one) => one.kind === kind).map(({ name }) => name);
  const [models, metrics] = [beside("model"), beside("metric")];
  for (const definition of definitions) {
    const { name } = definition;
    if (definition.kind === "pipeline" && !models.includes(definition.model)) {
      const { model } = definition;
      const found = registry.getConfiguration({ model }, { timeoutMs });
      await known(found, "UNKNOWN_MODEL", `pipeline ${name} trains the model`, model, models);
    }
    if (definition.kind !== "model") continue;
    for (const metric of definition.metrics.filter((one) => !metrics.includes(one))) {
      const found = evaluator.getMetric({ name: metric }, { timeoutMs });
      await known(found, "UNKNOWN_METRIC", `model ${name} has the metric`, metric, metrics);
    }
  }
}

async function known(
  found: Promise<unknown>,
  reason: "UNKNOWN_MODEL" | "UNKNOWN_METRIC",
  who: string,
  name: string,
  beside: readonly string[],
): Promise<void> {
  try {
    await found;
  } catch (error) {
    if (!isHeddleError(error, reason)) throw error;
    const meant = didYouMean(name, beside);
    const remedy = meant === undefined ? "define it beside it" : `did you mean "${meant}"?`;
    throw new HeddleError(
      "INVALID_ARGUMENT",
      reason,
      `${who} "${name}", which nobody defined: ${remedy}`,
      { cause: error },
    );
  }
}
