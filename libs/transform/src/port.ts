import type { ModelInput } from "@heddle/sdk";
import type { ColumnBatch } from "./columns.ts";
import type { RowMemory } from "./row-memory.ts";

/** Numbers fitted on training rows, by the path of the expression that needs them: an artifact of (plan, dataset). */
export interface Fit {
  readonly standardise: Readonly<
    Record<string, { readonly mean: number; readonly deviation: number }>
  >;
  readonly quantile: Readonly<Record<string, readonly number[]>>;
}

/** Rows as the model sees them. */
export interface ModelRows {
  readonly rows: number;
  /** shape [rows, numeric inputs], in the order of the plan's numeric inputs; null and non-finite are refused. */
  readonly numeric: Float32Array;
  /** 64-bit ids, shape [rows, embedding inputs], in the order of the plan's embedding inputs. */
  readonly ids: BigUint64Array;
}

/** One embedding input of some rows: the id of row i is ids[codes[i]]. */
export interface CodedIds {
  readonly ids: BigUint64Array;
  /** shape [rows]. */
  readonly codes: Int32Array;
  /** True when `ids` belongs to a dictionary and is the same array for every slice of a batch: work done per id may be kept by it. */
  readonly shared: boolean;
}

/** A compiled plan: the same code for a million rows and for one. */
export interface TransformProgram {
  readonly numericNames: readonly string[];
  readonly embeddingNames: readonly string[];
  /** Raw features the plan reads. */
  readonly features: readonly string[];
  /**
   * @throws {HeddleError} INVALID_ARGUMENT MISSING_FEATURE, WRONG_TYPE, NOT_A_NUMBER naming input, feature and row.
   */
  run(batch: ColumnBatch, from?: number, to?: number): ModelRows;
  /**
   * The numeric half of `run`, shape [rows, numeric inputs].
   *
   * @param memory where it and what leads to it lie; arrays of their own when absent.
   */
  numeric(batch: ColumnBatch, from?: number, to?: number, memory?: RowMemory): Float32Array;
  /**
   * The other half, one for each embedding input, for those who look ids up: once per dictionary entry instead of once per row.
   *
   * @param memory where codes and what leads to them lie; arrays of their own when absent.
   */
  codedIds(batch: ColumnBatch, from?: number, to?: number, memory?: RowMemory): readonly CodedIds[];
}

/** Gathers what a plan's `standardise` and `quantile` need, from training rows only. */
export interface Fitter {
  /** Raw features it reads. */
  readonly features: readonly string[];
  add(batch: ColumnBatch): void;
  fit(): Fit;
}

export type CompileTransform = (inputs: readonly ModelInput[], fit: Fit) => TransformProgram;
export type OpenFitter = (inputs: readonly ModelInput[]) => Fitter;
