import type { DenseOptimizer, ModelDefinition, Optimizer, RowOptimizer } from "@heddle/sdk";

/**
 * What becomes of learning rates when the batch grows: they stay; they grow as the batch does, as plain and momentum gradient descent
 * may want it; or as its root, as rules that divide by the size of gradients may (Adagrad, Adam).
 *
 * @source Goyal et al., "Accurate, Large Minibatch SGD", 2017, §2.1 (linear); Malladi et al., "On the SDEs and Scaling Rules for
 * Adaptive Gradient Algorithms", NeurIPS 2022 (root).
 */
export type RateRule = "keep" | "linear" | "root";

/** A definition with another batch size; what a module gives single parameters is its own and stays. */
export function definitionAt(
  definition: ModelDefinition,
  batchSize: number,
  rule: RateRule,
): ModelDefinition {
  const { training, shortTerm } = definition;
  const sizes = { from: training.batchSize, to: batchSize };
  const own = shortTerm?.optimizer;
  return {
    ...definition,
    ...(own && { shortTerm: { ...shortTerm, optimizer: optimizerAt(own, rule, sizes) } }),
    training: {
      ...training,
      batchSize,
      optimizer: optimizerAt(training.optimizer, rule, sizes),
    },
  };
}

function optimizerAt(
  optimizer: Optimizer,
  rule: RateRule,
  { from, to }: { readonly from: number; readonly to: number },
): Optimizer {
  const grown = { keep: 1, linear: to / from, root: Math.sqrt(to / from) }[rule];
  if (grown === 1) return optimizer;
  const times = <R extends RowOptimizer | DenseOptimizer>(of: R): R => ({
    ...of,
    rate: of.rate * grown,
  });
  if (optimizer.kind === "separate") {
    const { embeddings, dense } = optimizer;
    return { ...optimizer, embeddings: times(embeddings), dense: times(dense) };
  }
  const { embeddingRate, denseRate } = optimizer;
  return { ...optimizer, embeddingRate: embeddingRate * grown, denseRate: denseRate * grown };
}
