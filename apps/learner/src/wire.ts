import type { Layer } from "./chain.ts";
import type { Network } from "./network.ts";

/** All parameters of a run, as each shard gets its part of them. */
export interface RunDeclaration {
  readonly run: string;
  /** Fencing token of this attempt. */
  readonly fence: number;
  readonly lag: 0 | 1;
  readonly tables: Network["tables"];
  readonly dense: Network["dense"];
}

/** What a step reads. */
export interface Pulled {
  /** By table: rows in the order of the ids, shape [ids, dimension]. */
  readonly rows: Readonly<Record<string, Float32Array>>;
  /** Dense parameters by name. */
  readonly dense: Readonly<Record<string, Float32Array>>;
}

/** What a step changes: gradients of what it pulled. */
export interface Gradients {
  /** By table: shape [ids, dimension]. */
  readonly rows: Readonly<Record<string, Float32Array>>;
  readonly dense: Readonly<Record<string, Float32Array>>;
}

/**
 * The learner's side of the shards: it splits ids over them and puts answers together again, so that
 * the loop does not know how many there are. In `exact` mode, as `StepOrder` of the parameter server has it.
 */
export interface Wire {
  /**
   * Returns all shards to a cut; without layers to the initial parameters.
   *
   * @throws {HeddleError} FAILED_PRECONDITION SNAPSHOT_DIFFERS.
   */
  restore(step: number, layers: readonly Pick<Layer, "files">[]): Promise<void>;
  /** Reads all tables' rows of `ids` (without repetition) and all dense parameters, as the step must see them. */
  pull(step: number, ids: BigUint64Array): Promise<Pulled>;
  /**
   * Applies a step's gradients once.
   *
   * @param cut whether a cut follows: no pull is under way then, and none starts before this resolves.
   */
  push(step: number, ids: BigUint64Array, gradients: Gradients, cut: boolean): Promise<void>;
  /**
   * Has each shard take a cut at that step, at once; a cut before it is given up.
   *
   * @param since only rows changed after that step; all when absent.
   */
  freeze(step: number, since?: number): Promise<void>;
  /** Writes each shard's cut of that step under the prefix, while steps go on. */
  snapshot(step: number, objectPrefix: string): Promise<Omit<Layer, "step">>;
  /** CPU seconds of all shards' processes. */
  usage(): Promise<{ readonly cpuSeconds: number }>;
  [Symbol.asyncDispose](): Promise<void>;
}
