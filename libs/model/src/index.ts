export { widthsOf } from "./architecture.ts";
export { memoryDigest, type ModelTensors } from "./digest.ts";
export { checkModel, type CheckedModel } from "./check.ts";
export { moduleBytesMax, moduleFilesMax, packModule } from "./module.ts";
export { isFrozen } from "./frozen.ts";
export { getDefinition } from "./files.ts";
export { openScorer, readManifest, type ScorerOptions } from "./open.ts";
export { denseOptimizer, rowOptimizer } from "./optimizers.ts";
export {
  type DenseParameter,
  denseParameters,
  type EmbeddingTable,
  embeddingTables,
} from "./parameters.ts";
export type { ModelFile, ModelManifest, Scorer } from "./port.ts";
export { score, scoreTogether } from "./scoring.ts";
export { type ModelStep, predictStep, trainStep } from "./steps.ts";
export { servedRows } from "./served-rows.ts";
export { type Term, termsOf } from "./terms.ts";
export { takenOver } from "./transfer.ts";
export { type TrainedModel, writeModel } from "./write.ts";
