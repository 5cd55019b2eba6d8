/*
 * What a model module imports: how a model developer writes a network in plain TensorFlow.js. It lies beside the vocabulary of
 * definitions, not in it, because its types are TensorFlow.js's: install @tensorflow/tfjs-core to have them checked.
 */
import type * as tfcore from "@tensorflow/tfjs-core";
import type { ParameterSpec, Tensor, TensorFlow } from "./parameter-spec.ts";

export { batchNorm, type BatchNormNames, batchNormParameters } from "./batch-norm.ts";
export type { ParameterSpec, Start, Tensor, TensorFlow } from "./parameter-spec.ts";

/** How wide a model's inputs are. */
export interface Widths {
  /** Numeric inputs. */
  readonly numeric: number;
  /** Embedding inputs. */
  readonly fields: number;
  /** Values of an embedding, without the wide weight. */
  readonly dimension: number;
  /** Numeric inputs and embeddings side by side. */
  readonly joined: number;
}

/** What a network reads. A model without numeric inputs, or without embeddings, has none of the tensors over these. */
export interface ArchitectureInputs<Names extends string = string> {
  /** Shape [rows, widths.numeric]. */
  readonly numeric: tfcore.Tensor2D;
  /** Shape [rows, widths.fields, widths.dimension]; an id that training never saw is zeros. */
  readonly embedded: tfcore.Tensor3D;
  /** One more weight of each embedding row, for a linear part: shape [rows, widths.fields]. */
  readonly wide: tfcore.Tensor2D;
  /** Numeric inputs, then all embeddings: shape [rows, widths.joined]. */
  readonly joined: tfcore.Tensor2D;
  /** By name, each of its declared shape. */
  readonly parameters: Readonly<Record<Names, Tensor>>;
}

export interface BuildContext<Settings> {
  readonly widths: Widths;
  /** `architecture.settings` of the model definition. */
  readonly settings: Settings;
  /** In training only; absent in evaluation, golden outputs and serving. */
  readonly training?: {
    /** Shape [rows], 0 or 1. */
    readonly label: tfcore.Tensor1D;
    /** Rows that a row stands for, because negatives were sampled: shape [rows]. */
    readonly weight: tfcore.Tensor1D;
  };
}

/** What a network gives. */
export interface Built {
  /** Shape [rows] or [rows, 1]. Needed unless there are `predictions` and, in training, `losses`. */
  readonly logits?: Tensor;
  /** Probabilities, shape [rows] or [rows, 1]; the sigmoid of the logits when absent. */
  readonly predictions?: Tensor;
  /** In training: the rows' losses, shape [rows], or their mean, a scalar; the log loss of the logits when absent. */
  readonly losses?: Tensor;
  /** In training: for each moving parameter what it moves to. No gradient goes through it. */
  readonly updates?: Readonly<Record<string, Tensor>>;
}

/**
 * A network as functions. `build` is called once for training and once for prediction to record each as a graph, so it must be a
 * pure function: the same operations whatever the values, and every number that changes an input, a parameter or a random operation
 * of the `tf` that it is given (`tf.dropout`).
 */
export interface ArchitectureCode<
  Settings = Readonly<Record<string, unknown>>,
  Names extends string = string,
> {
  /** The dense parameters by name: letters, digits and `_`. */
  parameters(widths: Widths, settings: Settings): Readonly<Record<Names, ParameterSpec>>;
  build(tf: TensorFlow, inputs: ArchitectureInputs<Names>, context: BuildContext<Settings>): Built;
}

/**
 * Declares a network. A model module exports it as `architecture`, and a definition names the module:
 * `architecture: { kind: "module", module: "./two-towers.ts", dimension: 8, settings: { hidden: 32 } }`.
 */
export function defineArchitecture<
  Settings = Readonly<Record<string, unknown>>,
  Names extends string = string,
>(code: ArchitectureCode<Settings, Names>): ArchitectureCode<Settings, Names> {
  return code;
}
