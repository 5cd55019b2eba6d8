import type { Optimizer } from "./optimizer.ts";

/**
 * A second model of the same architecture, trained together with the first on the same examples. The first one, the long-term model,
 * continues its parent's; the short-term model begins anew at each training, so all it knows is that training's data. Each learns from its
 * own loss; what is evaluated and served is the mean of their predictions.
 */
export interface ShortTerm {
  /** Its share of the predictions, above 0 and below 1; 0.5 when absent. */
  readonly share?: number;
  /** Its update rules; those of `training.optimizer` when absent. */
  readonly optimizer?: Optimizer;
}
