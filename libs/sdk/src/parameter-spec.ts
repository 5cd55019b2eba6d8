import type * as tfcore from "@tensorflow/tfjs-core";
import type { DenseOptimizer } from "./optimizer.ts";

export type TensorFlow = typeof tfcore;
export type Tensor = tfcore.Tensor;

/**
 * How the first values of a parameter are drawn: a pure function of the definition's seed and the parameter's name. `he` is
 * normal with variance 2 / inputs (for layers before a ReLU), `glorot` with 2 / (inputs + outputs); `normal` has that deviation.
 */
export type Start = "zeros" | "ones" | "he" | "glorot" | { readonly normal: number };

/** A dense parameter: it lies on the parameter servers and is an input of every step. */
export interface ParameterSpec {
  readonly shape: readonly number[];
  readonly start: Start;
  /** Its update rule, in place of the definition's for dense parameters. */
  readonly optimizer?: DenseOptimizer;
  /**
   * It is not learnt but follows what `updates` gives for it in training: momentum × itself + (1 − momentum) × update. Batch
   * norm's statistics are such; with a momentum of 0 it is a number that the model computes itself, a temperature that falls, say.
   */
  readonly moving?: { readonly momentum: number };
}
