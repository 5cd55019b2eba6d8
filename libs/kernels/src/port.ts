/** How an optimiser moves values whose gradients come all at a time: a dense parameter's, or a row's. */
export type Optimizer =
  | {
      readonly kind: "adagrad";
      readonly rate: number;
      readonly initialAccumulator: number;
      readonly epsilon: number;
    }
  | { readonly kind: "sgd"; readonly rate: number }
  | { readonly kind: "momentum"; readonly rate: number; readonly momentum: number }
  /** Bias is corrected by the number of pushes of the row, not of the table. */
  | {
      readonly kind: "adam";
      readonly rate: number;
      readonly beta1: number;
      readonly beta2: number;
      readonly epsilon: number;
    };

/**
 * How a table's optimiser moves a row; formulas, slots and sources stand in `assembly/table/rules.ts`. Each is a function of the row's
 * own gradients alone, so that nothing depends on which rows share a shard.
 */
export type TableOptimizer =
  | Optimizer
  /** Adagrad with one accumulator a row, of the mean of its squared gradients. */
  | {
      readonly kind: "rowwise-adagrad";
      readonly rate: number;
      readonly initialAccumulator: number;
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

/**
 * Which ids get a row; until an id has one its gradients are dropped, and it reads as its initial draw. So an id that is pushed seldom
 * takes little memory, or none.
 */
export type Admission =
  /** A push of an id without a row makes it with this probability, above 0 and at most 1. */
  | { readonly probability: number }
  /** The push with this number of an id makes its row; at least 1. Until then the id is counted, which takes some 21 to 31 bytes. */
  | { readonly count: number };

/** When rows end. */
export interface Expiry {
  /**
   * A row that no push changed for so many steps, at least 1, is gone: it reads as its initial draw, no snapshot has it, and a push of its
   * id makes it anew. Steps are versions. Ids that are counted for admission are forgotten likewise.
   */
  readonly steps: number;
}

/** How the values of rows lie in memory. */
export type ValueStorage = "float32" | "bfloat16";

export interface TableSpec {
  /** float32 values a row. */
  readonly dimension: number;
  readonly optimizer: TableOptimizer;
  /** Rows not yet pushed to read as draws of a normal with this deviation, a pure function of (seed, id, column). */
  readonly initialDeviation: number;
  readonly seed: number;
  /** Refuse to grow beyond this many rows. */
  readonly rowsMax: number;
  /**
   * How rows lie in memory: 4 bytes a value, or 2, of which a value keeps 8 significant bits, rounded to the nearest, ties to even.
   * float32 when absent. Arithmetic, slots, and whatever is pulled or saved are float32 in any case.
   */
  readonly storage?: ValueStorage;
  /** All ids get a row when absent. Pushes need a version, which the draw goes by. */
  readonly admission?: Admission;
  /** Rows stay for ever when absent. Needs `versions`. */
  readonly expiry?: Expiry;
  /** Keep for each row the number of the push that changed it last; 4 bytes a row. */
  readonly versions?: boolean;
}

/** Rows of a table. */
export interface TableRows {
  /** shape [rows], any 64-bit value including 0; ascending, but for those of a frozen view. */
  readonly ids: BigUint64Array;
  /** shape [rows, dimension]. */
  readonly values: Float32Array;
  /** Optimiser slots, shape [rows, slots of a row]. */
  readonly slots: Float32Array;
  /** shape [rows]: the push that changed each last, 0 for one that only a restore made. Absent where the table keeps none. */
  readonly versions?: Uint32Array;
}

/** Those of the rows asked for that changed. */
export interface NewerRows {
  /** Positions in the ids asked for, ascending. */
  readonly positions: Uint32Array;
  /** shape [positions, dimension]. */
  readonly values: Float32Array;
  /** shape [positions]. */
  readonly versions: Uint32Array;
}

/** The rows of a table as they were at one moment, handed out once, while pushes go on. */
export interface FrozenView {
  /**
   * The next rows, in an order that depends on the table's history.
   *
   * @param bytesMax of the rows returned, though at least one row is; it bounds the time of the call, too. There may be none in
   * one call and some in a later one.
   * @returns copies; undefined when all have been returned.
   */
  next(bytesMax: number): TableRows | undefined;
  /** Ends it; pushes cost no more than before. A second call does nothing. */
  release(): void;
}

/** What became of rows since a table was made. */
export interface Turnover {
  /** Rows of gradients that were dropped because their ids had not been admitted. */
  readonly refused: number;
  /** Rows that expired, as far as their memory was taken back. */
  readonly expired: number;
}

/** How often ids were pushed that have no row yet, as a table of one value a row: what snapshots save and restore of it. */
export type CountTable = Pick<
  ParameterTable,
  "spec" | "rows" | "slotsOfRow" | "snapshot" | "changedSince" | "freeze" | "load"
>;

/** A collisionless table of rows keyed by 64-bit ids, with its optimiser. Single-threaded. */
export interface ParameterTable {
  readonly spec: TableSpec;
  /** Rows in memory. With an expiry those are among them that expired a while ago; `sweep` takes them out. */
  readonly rows: number;
  /** Only with an admission by count. */
  readonly counts?: CountTable;
  readonly turnover: Turnover;
  /** Optimiser slots of a row. */
  readonly slotsOfRow: number;
  /** Memory held, in bytes. */
  readonly bytes: number;
  /**
   * Copies the rows of `ids` to `out`, shape [ids, dimension]. A row never pushed reads as its initial draw and is not created.
   *
   * @param versions shape [ids], takes the rows' versions, 0 for a row that is not there.
   * @throws {HeddleError} INVALID_ARGUMENT WRONG_SIZE; FAILED_PRECONDITION NO_VERSIONS.
   */
  pull(ids: BigUint64Array, out: Float32Array, versions?: Uint32Array): void;
  /**
   * Those rows of `ids` that a push changed after `version`. It does not tell of rows that expired: whoever keeps rows forgets those
   * whose version is older than the expiry allows.
   *
   * @throws {HeddleError} FAILED_PRECONDITION NO_VERSIONS.
   */
  pullNewer(ids: BigUint64Array, version: number): NewerRows;
  /**
   * Applies one gradient row per id, in order; creates rows that are new.
   *
   * @param ids without repetition.
   * @param gradients shape [ids, dimension]; finite, or nothing of the call is applied.
   * @param version of these rows from now on; at least that of the push before, at most 2³² − 3. Only for a table that keeps
   * versions or has an admission, and then needed.
   * @throws {HeddleError} INVALID_ARGUMENT NOT_FINITE, WRONG_SIZE, VERSION_INVALID; RESOURCE_EXHAUSTED TABLE_FULL.
   */
  push(ids: BigUint64Array, gradients: Float32Array, version?: number): void;
  /**
   * Checks a push and makes room for it, once, and changes no row: so that several tables take a step's gradients, or none does.
   *
   * @param what is pushed to, for messages: `table x`.
   * @returns applies the push, which cannot be refused any more unless another one came between.
   * @throws {HeddleError} as `push`; INVALID_ARGUMENT WRONG_SIZE.
   */
  prepare(ids: BigUint64Array, gradients: Float32Array, what: string, version?: number): () => void;
  /** All rows in ascending order of id: one canonical form whatever the history. */
  snapshot(): TableRows;
  /**
   * As `snapshot`, but only rows that a push changed after `version`. Rows of a restore without versions have version 0.
   *
   * @throws {HeddleError} FAILED_PRECONDITION NO_VERSIONS.
   */
  changedSince(version: number): TableRows;
  /**
   * Takes a cut of all rows, or of those changed after `since`, in a time that hardly grows with the table: it clears one bit a row.
   * Until the view is released, a push that changes a row which was not yet handed out copies it first.
   *
   * @throws {HeddleError} FAILED_PRECONDITION TABLE_FROZEN when there is a view already, NO_VERSIONS; RESOURCE_EXHAUSTED TABLE_FULL.
   */
  freeze(since?: number): FrozenView;
  /**
   * Replaces all rows.
   *
   * @throws {HeddleError} INVALID_ARGUMENT WRONG_SIZE, ROWS_NOT_ASCENDING; FAILED_PRECONDITION TABLE_FROZEN while there is a view;
   * RESOURCE_EXHAUSTED TABLE_FULL.
   */
  restore(rows: TableRows): void;
  /**
   * Replaces the rows of these ids and adds those that are not there: what a snapshot in pieces is restored by.
   *
   * @param expected rows in all that will come: then the table grows once, where memory allows it.
   * @throws {HeddleError} as `restore`; then nothing of it is applied.
   */
  load(rows: TableRows, expected?: number): void;
  /** The table is as after the push of that version: for an expiry, which counts on from there, after a restore or where no push came. */
  advance(version: number): void;
  /** Takes the memory of all expired rows back, now and not little by little as pushes do; nothing while there is a view. */
  sweep(): void;
}
