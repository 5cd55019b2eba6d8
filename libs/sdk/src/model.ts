import type { Filter } from "./feature-view.ts";
import type { ShortTerm } from "./short-term.ts";
import type { Training } from "./training.ts";
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
