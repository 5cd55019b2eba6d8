import { HeddleError, present, type Clock } from "@heddle/base";
import type { Executor } from "@heddle/executor";
import type { ModelDefinition } from "@heddle/sdk";
import { grantedDataset, type TrainingData } from "../data/dataset.ts";
import type { BatchPlan } from "../data/examples.ts";
import { callMs, type TrainDeps } from "../deps.ts";

export interface AuditDeps extends Pick<
  TrainDeps,
  "registry" | "featureStore" | "telemetry" | "openExamples"
> {
  readonly clock: Clock;
  readonly executor: Executor;
}

/** What an audit trains: the definition and the dataset of a model's newest version. */
export interface Audited {
  readonly definition: ModelDefinition;
  readonly data: TrainingData;
  /** How the definition cuts the dataset into batches. */
  readonly plan: BatchPlan;
}

/**
 * @param reader who reads, for the grant.
 * @throws {HeddleError} FAILED_PRECONDITION NO_VERSION; what the services answer.
 */
export async function openAudited(
  deps: AuditDeps,
  { model, reader }: { readonly model: string; readonly reader: string },
  signal: AbortSignal,
): Promise<Audited> {
  const { registry } = deps;
  const call = { timeoutMs: callMs, signal };
  const { versions } = await registry.listVersions({ model, pageSize: 1 }, call);
  const [newest] = versions;
  if (newest === undefined) throw noVersion(model);
  const { configuration, dataset } = present(newest.recipe, "the recipe of a version");
  const { definitionJson } = await registry.getConfiguration({ configuration }, call);
  const definition = JSON.parse(definitionJson) as ModelDefinition;
  const data = await grantedDataset(deps, definition, { dataset, job: reader }, signal);
  const { inputs } = definition;
  const { batchSize, seed } = definition.training;
  const fit = await data.examples.fit(inputs, signal);
  return { definition, data, plan: { inputs, fit, batchSize, seed } };
}

function noVersion(model: string): HeddleError {
  return new HeddleError(
    "FAILED_PRECONDITION",
    "NO_VERSION",
    `model ${model} has no version yet, and an audit trains on the dataset of the newest one: run heddle train first`,
  );
}
