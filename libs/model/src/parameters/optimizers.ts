import type { Optimizer, TableOptimizer } from "@heddle/kernels";
import type { DenseOptimizer, RowOptimizer, Training } from "@heddle/sdk";

/** What is added to a root that divides, unless a definition says otherwise; TensorFlow's default. */
const epsilon = 1e-7;

/** The update rule of a model's embedding rows. */
export function rowOptimizer({ optimizer }: Pick<Training, "optimizer">): TableOptimizer {
  if (optimizer.kind === "separate") return withEpsilon(optimizer.embeddings);
  const { embeddingRate: rate, initialAccumulator } = optimizer;
  return { kind: "adagrad", rate, initialAccumulator, epsilon };
}

/** The update rule of a model's dense parameters, or of one that has its own. */
export function denseOptimizer(
  { optimizer }: Pick<Training, "optimizer">,
  own?: DenseOptimizer,
): Optimizer {
  if (own !== undefined) return withEpsilon(own);
  if (optimizer.kind === "separate") return withEpsilon(optimizer.dense);
  const { denseRate: rate, initialAccumulator } = optimizer;
  return { kind: "adagrad", rate, initialAccumulator, epsilon };
}

function withEpsilon(rule: DenseOptimizer): Optimizer;
function withEpsilon(rule: RowOptimizer): TableOptimizer;
function withEpsilon(rule: RowOptimizer): TableOptimizer {
  switch (rule.kind) {
    case "adagrad":
    case "rowwise-adagrad":
    case "adam":
      return { epsilon, ...rule };
    default:
      return rule;
  }
}
