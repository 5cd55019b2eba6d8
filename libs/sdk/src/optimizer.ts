/**
 * How gradients move embedding rows. Each rule is a function of the row's own gradients alone; all arithmetic is float32.
 * Formulas, sources and memory of each: the guide's page on optimisers.
 */
export type RowOptimizer =
  | DenseOptimizer
  /** Adagrad with one accumulator a row: a slot instead of one for each value. */
  | {
      readonly kind: "rowwise-adagrad";
      readonly rate: number;
      /** Above 0. */
      readonly initialAccumulator: number;
    }
  /** Sparse weights: those that `l1` does not let live are 0. `beta` above 0. */
  | {
      readonly kind: "ftrl";
      readonly rate: number;
      readonly beta: number;
      readonly l1: number;
      readonly l2: number;
    };

/** How gradients move dense parameters. */
export type DenseOptimizer =
  | { readonly kind: "sgd"; readonly rate: number }
  | {
      readonly kind: "momentum";
      readonly rate: number;
      /** What is kept of the velocity, from 0 to less than 1. */
      readonly momentum: number;
    }
  | {
      readonly kind: "adagrad";
      readonly rate: number;
      /** Above 0. */
      readonly initialAccumulator: number;
    }
  | {
      readonly kind: "adam";
      readonly rate: number;
      readonly beta1: number;
      readonly beta2: number;
      /** Above 0; 1e-7 when absent. */
      readonly epsilon?: number;
    };

/** The update rules of a training: Adagrad for all parameters, or one rule for embedding rows and one for dense parameters. */
export type Optimizer =
  | {
      readonly kind: "adagrad";
      /** Learning rate of embedding rows and of dense parameters. */
      readonly embeddingRate: number;
      readonly denseRate: number;
      readonly initialAccumulator: number;
    }
  | {
      readonly kind: "separate";
      readonly embeddings: RowOptimizer;
      readonly dense: DenseOptimizer;
    };
