/**
 * Which partitions a dataset step takes, relative to the run's window. For unpartitioned data both
 * `window` and `next` are the partition `all`, split by the model's holdout share.
 */
export type PartitionRange =
  /** The window alone when the model has a live parent to warm-start from, else all from `from` through the window. */
  | { readonly kind: "training"; readonly from?: number | string }
  /** The partition after the window. */
  | { readonly kind: "next" }
  /** So many windows of the example source's stream, from the run's window on: `0` is the first there is. */
  | { readonly kind: "log"; readonly windows: number }
  /** So many windows of the stream, from the one that lies `after` windows behind the run's. */
  | { readonly kind: "log-next"; readonly after: number; readonly windows: number };

/** `auto` is onnx where it loads, else tfjs. `tensorflow` needs libtensorflow: `npx heddle doctor` says how to get it. */
export type ExecutorKind = "auto" | "onnx" | "tensorflow" | "tfjs";

/** One typed step. `after` names steps that must have succeeded; their outputs are its inputs. */
export type Step =
  | {
      readonly kind: "build-dataset";
      readonly partitions: PartitionRange;
      readonly use: "training" | "evaluation" | "ranking";
      readonly after?: readonly string[];
    }
  | {
      readonly kind: "train";
      readonly dataset: string;
      readonly warmStart: boolean;
      /** Shards of the parameters, each a process of its own; 0: the one learner keeps them itself, which costs least on one machine. */
      readonly shards: number;
      /** Learners that share each step, 1 when absent; at most the model's `microBatches`. What is trained does not depend on it. */
      readonly learners?: number;
      /** What runs its steps; `auto` unless given. Versions keep their bytes within one executor. */
      readonly executor?: ExecutorKind;
      readonly after: readonly string[];
    }
  | {
      readonly kind: "evaluate";
      readonly version: string;
      readonly dataset: string;
      readonly ranking?: string;
      readonly after: readonly string[];
    }
  | { readonly kind: "gate"; readonly evaluation: string; readonly after: readonly string[] }
  | {
      readonly kind: "publish";
      readonly gate: string;
      readonly fleet: string;
      readonly after: readonly string[];
    };

export interface Retries {
  /** Attempts of a step, the first included. */
  readonly attemptsMax: number;
  readonly initialMs: number;
  readonly maxMs: number;
}

export interface PipelineDefinition {
  readonly kind: "pipeline";
  readonly name: string;
  readonly owner: string;
  readonly model: string;
  readonly steps: Readonly<Record<string, Step>>;
  readonly retries: Retries;
}

/** Declares a pipeline. Its steps, and their order, are checked when it is applied. */
export function definePipeline(definition: Omit<PipelineDefinition, "kind">): PipelineDefinition {
  return { kind: "pipeline", ...definition };
}

/** The usual DAG: datasets, training with warm start, evaluation, gate, publication. */
export function retraining(options: {
  readonly from?: number | string;
  readonly ranking: boolean;
  readonly fleet?: string;
  readonly executor?: ExecutorKind;
  /** Of the training step; 0 when absent. */
  readonly shards?: number;
}): PipelineDefinition["steps"] {
  const training: PartitionRange =
    options.from === undefined ? { kind: "training" } : { kind: "training", from: options.from };
  const ranking: Record<string, Step> = options.ranking
    ? { ranking: { kind: "build-dataset", partitions: { kind: "next" }, use: "ranking" } }
    : {};
  return {
    dataset: { kind: "build-dataset", partitions: training, use: "training" },
    holdout: { kind: "build-dataset", partitions: { kind: "next" }, use: "evaluation" },
    ...ranking,
    train: {
      kind: "train",
      dataset: "dataset",
      warmStart: true,
      shards: options.shards ?? 0,
      ...(options.executor === undefined ? {} : { executor: options.executor }),
      after: ["dataset"],
    },
    evaluate: {
      kind: "evaluate",
      version: "train",
      dataset: "holdout",
      ...(options.ranking ? { ranking: "ranking" } : {}),
      after: ["train", "holdout", ...(options.ranking ? ["ranking"] : [])],
    },
    gate: { kind: "gate", evaluation: "evaluate", after: ["evaluate"] },
    publish: { kind: "publish", gate: "gate", fleet: options.fleet ?? "main", after: ["gate"] },
  };
}

/**
 * Learning from the event log as events come: a version of each so many windows of the example source's stream, which goes on from the
 * version of the windows before, and is judged on the windows behind its own before it is served. `heddle follow` runs it.
 */
export function onlineLearning(options: {
  /** Windows that a version learns; 1 or more. */
  readonly windows: number;
  /** Windows behind them that it is judged on; they are learnt next. 1 when absent. */
  readonly holdout?: number;
  readonly fleet?: string;
  readonly executor?: ExecutorKind;
  /** Of the training step; 0 when absent. */
  readonly shards?: number;
  /** Of the training step; 1 when absent. */
  readonly learners?: number;
}): PipelineDefinition["steps"] {
  const { windows, holdout = 1, fleet = "main", executor, shards = 0, learners } = options;
  const judged = { kind: "log-next", after: windows, windows: holdout } as const;
  return {
    dataset: { kind: "build-dataset", partitions: { kind: "log", windows }, use: "training" },
    holdout: { kind: "build-dataset", partitions: judged, use: "evaluation" },
    train: {
      ...{ kind: "train", dataset: "dataset", warmStart: true, shards },
      ...(executor === undefined ? {} : { executor }),
      ...(learners === undefined ? {} : { learners }),
      after: ["dataset"],
    },
    evaluate: {
      kind: "evaluate",
      version: "train",
      dataset: "holdout",
      after: ["train", "holdout"],
    },
    gate: { kind: "gate", evaluation: "evaluate", after: ["evaluate"] },
    publish: { kind: "publish", gate: "gate", fleet, after: ["gate"] },
  };
}
