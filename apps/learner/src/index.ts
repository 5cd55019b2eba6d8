export {
  type AuditedSetting,
  type AuditOptions,
  type SpeedAudit,
  type SpeedVerdict,
} from "./audit/audit.ts";
export { auditModel, type AuditModelDeps } from "./audit/audit-model.ts";
export { localExamples } from "./data/examples.ts";
export { datasetReader } from "./data/reader.ts";
export type { TrainDeps, Usage } from "./deps.ts";
export { stageNames } from "./meters/stages.ts";
export { runTraining, type TrainOutputs, type TrainRequest } from "./run.ts";
