export { aggregateGroups } from "./aggregate-groups.ts";
export { bucketKey } from "./buckets.ts";
export { lookupGroups } from "./assemble.ts";
export { buildPartitions, type BuiltPartition } from "./build.ts";
export { type Odd } from "./csv-types.ts";
export { type ColumnDescription, describeTable, type TableDescription } from "./describe.ts";
export { type DuckdbPool, openDuckdbPool } from "./duckdb-pool.ts";
export { type Duckdb, type DuckdbOptions, openDuckdb } from "./duckdb.ts";
export { ingestFile } from "./ingest.ts";
export {
  type EventFormat,
  type IngestResult,
  type IngestTask,
  type LeftOut,
} from "./ingest-task.ts";
export {
  aggregatePart,
  lookupPart,
  materialise,
  type Materialised,
  type MaterialiseTask,
  offerColumns,
  offerKey,
  offersPart,
} from "./materialise.ts";
export { conditionOf, type PartitionFacts, type SliceCount } from "./measure.ts";
export {
  type DatasetColumn,
  datasetColumns,
  type DatasetPlan,
  type DatasetUse,
  exampleColumns,
  exampleRowColumns,
  exampleSource,
  type ObjectFile,
  type PlannedFeature,
  type PlannedSource,
  type SegmentFile,
  type Window,
} from "./plan.ts";
export { exampleSegments, segmentsThatMatter, segmentsWith, timePartition } from "./prune.ts";
export { pseudonymOf } from "./pseudonym.ts";
export {
  readPartition,
  readPartitionChunks,
  type ReadOptions,
  type VisitRange,
  visitRanges,
} from "./read.ts";
export { reservedPrefix } from "./sql.ts";
