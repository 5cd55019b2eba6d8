import type { Filter } from "./feature-view.ts";
import type { Optimizer } from "./optimizer.ts";
import type { ShortTerm } from "./short-term.ts";
import type { Transfer } from "./transfer.ts";
import type { ModelInput } from "./transform.ts";

/** Which rows a model learns from. */
export type Examples =
  /** Each event of a source is an example; its label is a column. */
  | {
      readonly kind: "rows";
      readonly source: string;
      /** A boolean or 0/1 column. It may not also be read as an example feature. */
      readonly label: string;
      /** Share of rows, chosen by a stable hash of the event id, kept for evaluation; only for unpartitioned data. */
      readonly holdoutShare?: number;
    }
  /** Each visit meets the candidates on offer; the label says which were taken. */
  | {
      readonly kind: "candidates";
      /** One visit per distinct value of `keys`; its time is that of its first event. */
      readonly visits: { readonly source: string; readonly keys: readonly string[] };
      /** Offers of the visit: rows of `source` equal in `on`. Its other columns are example columns. */
      readonly candidates: {
        readonly source: string;
        readonly on: readonly string[];
        readonly item: string;
      };
      /** Negatives a visit keeps for training, by a stable hash; the weight column undoes the sampling. Visits with no positive are left out. */
      readonly negatives: { readonly perVisit: number; readonly seed: number };
      /** Visits scored over all their candidates for ranking metrics, by a stable hash. */
      readonly ranking: { readonly visitsMax: number; readonly seed: number; readonly at: number };
    };

/** How rows are cut into partitions, the unit of datasets, windows and caching. */
export type Partitioning =
  /** By an integer column of the example, e.g. the retailer's week. */
  | { readonly by: "column"; readonly column: string }
  /** By the example's time (UTC; weeks start on Monday). */
  | { readonly by: "time"; readonly unit: "day" | "week" | "month" }
  /** By windows of the example source's stream, numbered from 0. What online pipelines take, whatever their model says; not a model's own. */
  | { readonly by: "log" }
  /** One partition, `all`. */
  | { readonly by: "none" };

/** A model module's sources: what its architecture is made of, as they were written. */
export interface ModuleSources {
  /** The file that exports `architecture`. */
  readonly entry: string;
  /** Texts by path, relative to the project's folder. */
  readonly files: Readonly<Record<string, string>>;
}

/** `hidden` are the widths of the ReLU layers; every embedding input has a row of `dimension` values and one wide weight. */
export type Architecture =
  | {
      readonly kind: "wide-and-deep";
      readonly dimension: number;
      readonly hidden: readonly number[];
    }
  | {
      readonly kind: "dcn-v2";
      readonly dimension: number;
      readonly crossLayers: number;
      /**
       * The matrix of a cross layer is a product of two, with so many columns between: a small part of the work where it is far below
       * the width of the inputs, mostly for the same quality. One full matrix when absent.
       */
      readonly crossRank?: number;
      readonly hidden: readonly number[];
    }
  /** Dot products of all pairs of embeddings, and of the numeric inputs brought to an embedding's size by layers of widths `bottom`. */
  | {
      readonly kind: "dlrm";
      readonly dimension: number;
      readonly bottom: readonly number[];
      readonly hidden: readonly number[];
    }
  /** A linear part and the products of all pairs of embeddings. */
  | { readonly kind: "factorisation-machine"; readonly dimension: number }
  /** A network of one's own in TensorFlow.js: what `defineArchitecture` of `@heddle/sdk/architecture` returned. */
  | {
      readonly kind: "module";
      readonly dimension: number;
      /** A TypeScript file, relative to the definition file. `heddle apply` puts its sources in the place of its path. */
      readonly module: string | ModuleSources;
      /** Handed to the module as it is. */
      readonly settings?: Readonly<Record<string, unknown>>;
    };

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

/** A named part of the evaluation rows. */
export interface Slice {
  readonly name: string;
  /** One slice for each value of a category feature … */
  readonly by?: string;
  /** … or the rows for which every condition on raw features holds. */
  readonly where?: Filter;
}

/** What must hold before a version is published. Limits are on the interval, never on the point. */
export interface Gate {
  /** Refuse when the lower end of the paired interval of (candidate − live) is below −this. */
  readonly aucDropMax: number;
  readonly logLossRiseMax: number;
  /** |mean prediction / mean label − 1| after prior correction may reach this. */
  readonly calibrationErrorMax: number;
  /** The candidate must beat the fallback: lower end of the paired AUC difference above 0. */
  readonly beatFallback: boolean;
  /** Fewer evaluation positives than this: not enough data. */
  readonly positivesMin: number;
  /** Slices whose share of the training rows' positives may not change by more than this factor against the last dataset. */
  readonly sliceShareChangeMax: number;
}

/** The registered heuristic that answers when no model is fit. */
export interface Fallback {
  readonly name: string;
  /** Rows are ranked by this numeric feature, descending; absent: every row is alike. */
  readonly feature?: string;
}

export interface ModelDefinition {
  readonly kind: "model";
  readonly name: string;
  readonly owner: string;
  readonly author: string;
  readonly purpose: string;
  readonly examples: Examples;
  readonly partitioning: Partitioning;
  /** Feature views it reads, `name@version`. */
  readonly views: readonly string[];
  readonly inputs: readonly ModelInput[];
  readonly architecture: Architecture;
  /** A second model beside, for what is new; none when absent. */
  readonly shortTerm?: ShortTerm;
  readonly training: Training;
  /** Custom metrics by name, beside AUC, log loss, calibration and NDCG. */
  readonly metrics: readonly string[];
  readonly slices: readonly Slice[];
  readonly gate: Gate;
  readonly fallback: Fallback;
}

/** Declares a model. Its shape, its features and its network are checked when it is applied. */
export function defineModel(definition: Omit<ModelDefinition, "kind">): ModelDefinition {
  return { kind: "model", ...definition };
}
