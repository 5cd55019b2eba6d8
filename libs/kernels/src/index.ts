export { gatherRows, scatterRows, sumGradients } from "./batch.ts";
export { createDense, type DenseVector } from "./dense.ts";
export { createIndex, type IdIndex } from "./id-index.ts";
export { halvesOf, type ShardIds, shardOf, splitByShard, uniqueIds } from "./ids.ts";
export { checkGradients, checkLength } from "./gradients.ts";
export type {
  FrozenView,
  NewerRows,
  Optimizer,
  ParameterTable,
  TableOptimizer,
  TableRows,
  TableSpec,
  ValueStorage,
} from "./port.ts";
export { createTable } from "./table.ts";
