import type { Optimizer } from "./optimizer.ts";
import type { Transfer } from "./transfer.ts";

export interface Training {
  readonly batchSize: number;
  readonly seed: number;
  readonly optimizer: Optimizer;
  /** Standard deviation of a new embedding row's values. */
  readonly embeddingDeviation: number;
  /** What shards keep of embedding rows, and how these travel; float32 and every row when absent. */
  readonly rows?: RowOptions;
  /** Steps between snapshots. */
  readonly snapshotSteps: number;
  /** `exact` mode: a pull for step t+1 reads the state after step t − lag. 0 or 1. */
  readonly lag: 0 | 1;
  /**
   * Micro-batches of a step, 1 when absent: as many learners as this can share a step. The gradient of each is summed in row order,
   * theirs in micro-batch order, so the model's bytes depend on this number and not on that of the learners.
   */
  readonly microBatches?: number;
  /** `exact` when absent. In bounded mode a step is an update, with neither lag nor micro-batches. */
  readonly mode?: TrainingMode;
  /**
   * What the operands of the model's large matrix products are rounded to; float32 when absent. Parameters, gradients and sums are
   * float32 in both. bfloat16 is used where the executor's processor gains by it; else float32, and the report says why.
   */
  readonly precision?: "float32" | "bfloat16";
  /** In `exact` mode; all data is trained when absent. */
  readonly earlyStopping?: EarlyStopping;
  /** Parameters of another model's version to start with; none when absent. */
  readonly transfer?: Transfer;
}

/** How updates of several learners follow one another. */
export type TrainingMode =
  /** The same recipe gives the same bytes. */
  | { readonly kind: "exact" }
  /** Learners do not wait for one another, within bounds that the parameter server enforces; bytes depend on timing. */
  | {
      readonly kind: "bounded";
      /** Pushes that may be applied between an update's pull and its push. */
      readonly staleness: number;
      /** Updates of all learners that may be under way at a time. */
      readonly inFlight: number;
      /** Updates that may begin in a second; any number when absent. */
      readonly pushesPerSecond?: number;
      /**
       * A learner may compute on embedding rows that it pulled up to so many pushes ago, its own among them, instead of asking for them
       * again: fewer bytes, for rows that are that much older. At most `staleness` less the updates in flight beside one's own; 0 when
       * absent, then each update pulls its rows anew.
       */
      readonly rowAge?: number;
    };

/** How shards keep embedding rows, and how learners and shards exchange them. */
export interface RowOptions {
  /**
   * 4 bytes a value, or 2, of which a value keeps 8 significant bits. Optimiser slots and arithmetic are float32 in both, and so are
   * snapshots and versions. float32 when absent.
   */
  readonly storage?: "float32" | "bfloat16";
  /**
   * Which ids get a row; until then an id's gradients are dropped and it reads as its initial draw, so that ids seen once or twice take
   * little memory. All of them when absent.
   */
  readonly admission?: RowAdmission;
  /** When rows end; never when absent. */
  readonly expiry?: RowExpiry;
  /**
   * How the values of rows that are pulled, and their gradients that are pushed, travel between learners and shards: in 4 bytes,
   * rounded to 2, which keep 8 significant bits, or in 1, a whole number of 127ths of the row's largest value, with 4 bytes a row for
   * that. Shards add up in float32. float32 when absent.
   */
  readonly wire?: "float32" | "bfloat16" | "int8";
}

/** Which ids get an embedding row. */
export type RowAdmission =
  /** A step that trains an id without a row gives it one with this probability, above 0 and at most 1. */
  | { readonly probability: number }
  /**
   * The step with this number of those that train an id gives it its row; 2 to 1,000. Until then the id takes some 25 bytes on its shard,
   * whatever the size of a row.
   */
  | { readonly count: number };

/** When embedding rows end. */
export interface RowExpiry {
  /**
   * A row that no example trained for so many steps is gone, and reads as its initial draw; should its id come back, it begins anew. A run
   * that continues a version goes on counting where that ended. Ids that `admission` counts are forgotten likewise. 1 or more.
   */
  readonly steps: number;
}

/**
 * When a training ends before its data does. At each cut but the last (each `snapshotSteps`) the mean loss of the examples since the cut
 * before is taken, each from before its own update: the progressive validation loss (Blum, Kalai, Langford 1999). The guide's page on
 * early stopping says what it can tell and what not.
 */
export interface EarlyStopping {
  /** So many cuts in a row that did not lower the loss end the training; 1 or more. */
  readonly patience: number;
  /** By how much a cut must lower the lowest loss so far to count; 0 when absent, then by anything. */
  readonly minDelta?: number;
}
