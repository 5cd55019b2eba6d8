export { packBfloat16, unpackBfloat16 } from "./packing/bfloat16.ts";
export { gatherRows, scatterRows, sumGradients } from "./batch/batch.ts";
export { type Int8Rounding, int8RowBytes, packInt8, unpackInt8 } from "./packing/int8.ts";
export { createDense, type DenseVector } from "./dense.ts";
export { type IdNumbers, openIdNumbers } from "./ids/id-numbers.ts";
export { openExampleRows } from "./batch/example-rows.ts";
export { createIndex, type IdIndex } from "./ids/id-index.ts";
export { type FieldCodes, openFieldRows } from "./batch/field-rows.ts";
export { gatherIds, halvesOf, uniqueIds } from "./ids/ids.ts";
export { groupByShard, type ShardIds, shardOf, splitByShard } from "./ids/shards.ts";
export { checkLength } from "./gradients.ts";
export type {
  Admission,
  CountTable,
  Expiry,
  FrozenView,
  NewerRows,
  Optimizer,
  ParameterTable,
  TableOptimizer,
  TableRows,
  TableSpec,
  Turnover,
  ValueStorage,
} from "./port.ts";
export { keyListName } from "./ids/key-list.ts";
export { joinIds, joinWords, splitIds, splitWords } from "./packing/planes.ts";
export { openRowCache, type RowCache, type TakenRows } from "./row-cache.ts";
export { textIds } from "./ids/text-ids.ts";
export { createTable } from "./table/table.ts";
export { newSlots } from "./table/table-optimizer.ts";
