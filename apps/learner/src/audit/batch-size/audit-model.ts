import { startStages } from "../../meters/stages.ts";
import { type AuditDeps, openAudited } from "../audited.ts";
import { auditBatchSize, type BatchSizeAudit, type BatchSizeOptions } from "./audit.ts";
import { readRows } from "./rows.ts";

export interface BatchSizeRequest extends Omit<
  BatchSizeOptions,
  "definition" | "executor" | "rows"
> {
  readonly model: string;
  /** Who reads, for the grant. */
  readonly reader: string;
  /** Rows of the dataset to read, from the first on. */
  readonly rowsMax: number;
}

/**
 * Audits a model's batch size on the definition and the dataset of its newest version. It starts from nothing, whatever the version
 * continued.
 *
 * @throws {HeddleError} FAILED_PRECONDITION NO_VERSION; as `auditBatchSize`; what the services answer.
 */
export async function auditModelBatchSize(
  deps: AuditDeps,
  { model, reader, rowsMax, ...asked }: BatchSizeRequest,
  signal: AbortSignal,
): Promise<BatchSizeAudit> {
  const { definition, data, plan } = await openAudited(deps, { model, reader }, signal);
  const from = { partition: 0, batch: 0 };
  const source = data.examples.batches(plan, from, startStages(deps.clock));
  const rows = await readRows(source, rowsMax, signal);
  const { executor } = deps;
  return auditBatchSize({ ...asked, definition, executor, rows }, signal);
}
