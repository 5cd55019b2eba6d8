import type { ColumnBatch } from "./columns.ts";
import type { RowMemory } from "./row-memory.ts";

/** The rows of a batch from `from` to before `to`, and the memory for what becomes of them. */
export interface BatchPart {
  readonly batch: ColumnBatch;
  readonly from: number;
  readonly to: number;
  readonly memory: RowMemory;
}
