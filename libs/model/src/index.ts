export { widthsOf } from "./network/architecture.ts";
export { memoryDigest, type ModelTensors } from "./digest.ts";
export { checkModel, type CheckedModel } from "./step/check.ts";
export { moduleBytesMax, moduleFilesMax, packModule } from "./network/module.ts";
export { isFrozen } from "./parameters/frozen.ts";
export { getDefinition } from "./version/files.ts";
export { openScorer, readManifest, type ScorerOptions } from "./version/open.ts";
export { denseOptimizer, rowOptimizer } from "./parameters/optimizers.ts";
export {
  type DenseParameter,
  denseParameters,
  type EmbeddingTable,
  embeddingTables,
} from "./parameters/parameters.ts";
export type { ModelFile, ModelManifest, Scorer } from "./port.ts";
export { score, scoreTogether } from "./scoring/scoring.ts";
export { type ModelStep, predictStep, trainStep } from "./step/steps.ts";
export { servedRows } from "./scoring/served-rows.ts";
export { type Term, termsOf } from "./network/terms.ts";
export { takenOver } from "./parameters/transfer.ts";
export { type TrainedModel, writeModel } from "./version/write.ts";
