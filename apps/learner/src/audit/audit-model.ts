import { batchesOf } from "../data/rows.ts";
import { startStages } from "../meters/stages.ts";
import { type AuditOptions, auditSpeed, type SpeedAudit } from "./audit.ts";
import { type AuditDeps, openAudited } from "./audited.ts";

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
  deps: AuditDeps,
  { model, reader, ...asked }: AuditModelRequest,
  signal: AbortSignal,
): Promise<SpeedAudit> {
  const { definition, data, plan } = await openAudited(deps, { model, reader }, signal);
  const from = { partition: 0, batch: 0 };
  const { batchSize } = plan;
  return auditSpeed(
    {
      ...asked,
      ...{ definition, executor: deps.executor },
      batches: () => data.examples.batches(plan, from, startStages(deps.clock)),
      batchCount: data.partitions.reduce((sum, { rows }) => sum + batchesOf(rows, batchSize), 0),
    },
    signal,
  );
}
