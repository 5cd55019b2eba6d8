export {
  type AuditedSetting,
  type AuditOptions,
  type SpeedAudit,
  type SpeedVerdict,
} from "./audit/audit.ts";
export { auditModel } from "./audit/audit-model.ts";
export type { AuditDeps } from "./audit/audited.ts";
export { auditModelBatchSize } from "./audit/batch-size/audit-model.ts";
export type { AuditedSize, BatchSizeAudit, Per } from "./audit/batch-size/audit.ts";
export type { Spread } from "./audit/batch-size/choose.ts";
export type { RateRule } from "./audit/batch-size/rates.ts";
export { localExamples } from "./data/examples.ts";
export { datasetReader } from "./data/reader.ts";
export type { TrainDeps, Usage } from "./deps.ts";
export { stageNames } from "./meters/stages.ts";
export { runTraining, type TrainOutputs, type TrainRequest } from "./run.ts";
