export {
  type Aggregate,
  defineFeatureView,
  type FeaturePlan,
  type FeatureType,
  type FeatureViewDefinition,
  type Filter,
} from "./feature-view.ts";
export { defineMetric, type MetricDefinition, type MetricExpression } from "./metric.ts";
export {
  type Architecture,
  defineModel,
  type Examples,
  type Fallback,
  type Gate,
  type ModelDefinition,
  type ModuleSources,
  type Partitioning,
  type Slice,
} from "./model.ts";
export {
  definePipeline,
  type ExecutorKind,
  type PartitionRange,
  onlineLearning,
  type PipelineDefinition,
  retraining,
  type Retries,
  type Step,
} from "./pipeline.ts";
export {
  type Availability,
  type ColumnType,
  defineSource,
  type SourceDefinition,
  type Stream,
} from "./source.ts";
export type { RowOptimizer, DenseOptimizer, Optimizer } from "./optimizer.ts";
export type { ShortTerm } from "./short-term.ts";
export type {
  EarlyStopping,
  RowAdmission,
  RowExpiry,
  RowOptions,
  Training,
  TrainingMode,
} from "./training.ts";
export type { Transfer } from "./transfer.ts";
export {
  ageDays,
  bucketise,
  category,
  type CategoryExpression,
  clip,
  cross,
  difference,
  embedding,
  isMissing,
  log1p,
  type ModelInput,
  type NumberExpression,
  numeric,
  quantile,
  ratio,
  scale,
  standardise,
  value,
  withDefault,
} from "./transform.ts";

import type { FeatureViewDefinition } from "./feature-view.ts";
import type { MetricDefinition } from "./metric.ts";
import type { ModelDefinition } from "./model.ts";
import type { PipelineDefinition } from "./pipeline.ts";
import type { SourceDefinition } from "./source.ts";

/** Anything a project's definition file may export. */
export type Definition =
  | SourceDefinition
  | FeatureViewDefinition
  | ModelDefinition
  | MetricDefinition
  | PipelineDefinition;
