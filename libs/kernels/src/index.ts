export { packBfloat16, unpackBfloat16 } from "./bfloat16.ts";
export { gatherRows, scatterRows, sumGradients } from "./batch.ts";
export { type Int8Rounding, int8RowBytes, packInt8, unpackInt8 } from "./int8.ts";
export { createDense, type DenseVector } from "./dense.ts";
export { type IdNumbers, openIdNumbers } from "./id-numbers.ts";
export { openExampleRows } from "./example-rows.ts";
export { createIndex, type IdIndex } from "./id-index.ts";
export { type FieldCodes, openFieldRows } from "./field-rows.ts";
export { gatherIds, halvesOf, type ShardIds, shardOf, splitByShard, uniqueIds } from "./ids.ts";
export { checkGradients, checkLength } from "./gradients.ts";
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
export { keyListName } from "./key-list.ts";
export { joinIds, joinWords, splitIds, splitWords } from "./planes.ts";
export { openRowCache, type RowCache, type TakenRows } from "./row-cache.ts";
export { textIds } from "./text-ids.ts";
export { createTable } from "./table.ts";
export { newSlots } from "./table-optimizer.ts";
