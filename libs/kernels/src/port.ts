/** How an optimiser moves a row. */
export type Optimizer =
  | {
      readonly kind: "adagrad";
      readonly rate: number;
      readonly initialAccumulator: number;
      readonly epsilon: number;
    }
  | { readonly kind: "sgd"; readonly rate: number };

/**
 * How a table's optimiser moves a row; formulas, slots and sources stand in `assembly/rules.ts`. Each is a function of the row's
 * own gradients alone, so that nothing depends on which rows share a shard.
 */
export type TableOptimizer =
  | Optimizer
  | { readonly kind: "momentum"; readonly rate: number; readonly momentum: number }
  /** Adagrad with one accumulator a row, of the mean of its squared gradients. */
  | {
      readonly kind: "rowwise-adagrad";
      readonly rate: number;
      readonly initialAccumulator: number;
      readonly epsilon: number;
    }
  /** Bias is corrected by the number of pushes of the row, not of the table. */
  | {
      readonly kind: "adam";
      readonly rate: number;
      readonly beta1: number;
      readonly beta2: number;
      readonly epsilon: number;
    }
  /** `beta` above 0. Values begin as they were drawn; the first push may set those to 0 that `l1` does not let live. */
  | {
      readonly kind: "ftrl";
      readonly rate: number;
      readonly beta: number;
      readonly l1: number;
      readonly l2: number;
    };

export interface TableSpec {
  /** float32 values a row. */
  readonly dimension: number;
  readonly optimizer: TableOptimizer;
  /** Rows not yet pushed to read as draws of a normal with this deviation, a pure function of (seed, id, column). */
  readonly initialDeviation: number;
  readonly seed: number;
  /** Refuse to grow beyond this many rows. */
  readonly rowsMax: number;
}

/** The rows of a table in ascending order of id: one canonical form whatever the history. */
export interface TableRows {
  /** shape [rows], ascending, any 64-bit value including 0. */
  readonly ids: BigUint64Array;
  /** shape [rows, dimension]. */
  readonly values: Float32Array;
  /** Optimiser slots, shape [rows, slots of a row]. */
  readonly slots: Float32Array;
}

/** A collisionless table of rows keyed by 64-bit ids, with its optimiser. Single-threaded. */
export interface ParameterTable {
  readonly spec: TableSpec;
  readonly rows: number;
  /** Memory held, in bytes. */
  readonly bytes: number;
  /** Copies the rows of `ids` to `out`, shape [ids, dimension]. A row never pushed reads as its initial draw and is not created. */
  pull(ids: BigUint64Array, out: Float32Array): void;
  /**
   * Applies one gradient row per id, in order; creates rows that are new.
   *
   * @param ids without repetition.
   * @param gradients shape [ids, dimension]; finite, or nothing of the call is applied.
   * @throws {HeddleError} INVALID_ARGUMENT NOT_FINITE, RESOURCE_EXHAUSTED TABLE_FULL.
   */
  push(ids: BigUint64Array, gradients: Float32Array): void;
  /**
   * Checks a push and makes room for it, once, and changes no row: so that several tables take a step's gradients, or none does.
   *
   * @param what is pushed to, for messages: `table x`.
   * @returns applies the push, which cannot be refused any more unless another one came between.
   * @throws {HeddleError} as `push`; INVALID_ARGUMENT WRONG_SIZE.
   */
  prepare(ids: BigUint64Array, gradients: Float32Array, what: string): () => void;
  snapshot(): TableRows;
  restore(rows: TableRows): void;
}
