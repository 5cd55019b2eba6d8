import { HeddleError, present, type Clock } from "@heddle/base";
import type { Executor } from "@heddle/executor";
import type { ModelDefinition } from "@heddle/sdk";
import { grantedDataset } from "../data/dataset.ts";
import { callMs, type TrainDeps } from "../deps.ts";
import { batchesOf } from "../data/rows.ts";
import { startStages } from "../meters/stages.ts";
import { type AuditOptions, auditSpeed, type SpeedAudit } from "./audit.ts";

export interface AuditModelDeps extends Pick<
  TrainDeps,
  "registry" | "featureStore" | "telemetry" | "openExamples"
> {
  readonly clock: Clock;
  readonly executor: Executor;
}

export interface AuditModelRequest extends Omit<
  AuditOptions,
  "definition" | "executor" | "batches" | "batchCount"
> {
  readonly model: string;
  /** Who reads, for the grant. */
  readonly reader: string;
}

/**
 * Audits a model on the definition and the dataset of its newest version. It starts from nothing, whatever the version continued.
 *
 * @throws {HeddleError} FAILED_PRECONDITION NO_VERSION; as `auditSpeed`; what the services answer.
 */
export async function auditModel(
  deps: AuditModelDeps,
  { model, reader, ...asked }: AuditModelRequest,
  signal: AbortSignal,
): Promise<SpeedAudit> {
  const { registry, executor, clock } = deps;
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
  const plan = { inputs, fit, batchSize, seed };
  const from = { partition: 0, batch: 0 };
  return auditSpeed(
    {
      ...asked,
      ...{ definition, executor },
      batches: () => data.examples.batches(plan, from, startStages(clock)),
      batchCount: data.partitions.reduce((sum, { rows }) => sum + batchesOf(rows, batchSize), 0),
    },
    signal,
  );
}

function noVersion(model: string): HeddleError {
  return new HeddleError(
    "FAILED_PRECONDITION",
    "NO_VERSION",
    `model ${model} has no version yet, and an audit trains on the dataset of the newest one: run heddle train first`,
  );
}
