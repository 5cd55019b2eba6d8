export { aggregateGroups } from "./features/aggregate-groups.ts";
export { bucketKey } from "./features/buckets.ts";
export { lookupGroups } from "./features/assemble.ts";
export { buildPartitions, type BuiltPartition } from "./dataset/build.ts";
export { type Odd } from "./describe/csv-types.ts";
export {
  type ColumnDescription,
  describeTable,
  type TableDescription,
} from "./describe/describe.ts";
export { type DuckdbPool, openDuckdbPool } from "./duckdb/duckdb-pool.ts";
export { type Duckdb, type DuckdbOptions, openDuckdb } from "./duckdb/duckdb.ts";
export { ingestFile } from "./ingest/ingest.ts";
export {
  type EventFormat,
  type IngestResult,
  type IngestTask,
  type LeftOut,
} from "./ingest/ingest-task.ts";
export {
  aggregatePart,
  lookupPart,
  materialise,
  type Materialised,
  type MaterialiseTask,
  offerColumns,
  offerKey,
  offersPart,
} from "./features/materialise.ts";
export { conditionOf, type PartitionFacts, type SliceCount } from "./dataset/measure.ts";
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
export {
  exampleSegments,
  segmentsThatMatter,
  segmentsWith,
  timePartition,
} from "./dataset/prune.ts";
export { pseudonymOf } from "./ingest/pseudonym.ts";
export {
  readPartition,
  readPartitionChunks,
  type ReadOptions,
  type VisitRange,
  visitRanges,
} from "./partition/read.ts";
export { reservedPrefix } from "./duckdb/sql.ts";
