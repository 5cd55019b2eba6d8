import type { ObjectInfo } from "@heddle/objects";
import type { Moved } from "./traffic.ts";
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
   * Returns all shards to a cut; without files to the initial parameters.
   *
   * @throws {HeddleError} FAILED_PRECONDITION SNAPSHOT_DIFFERS.
   */
  restore(step: number, files: readonly ObjectInfo[]): Promise<void>;
  /** Reads all tables' rows of `ids` (without repetition) and all dense parameters, as the step must see them. */
  pull(step: number, ids: BigUint64Array): Promise<Pulled>;
  /**
   * Gives the memory of what was pulled back: nobody may read it any more, a later pull's values will lie there. What is never
   * released is never used again.
   */
  release(pulled: Pulled): void;
  /**
   * Applies a step's gradients once.
   *
   * @param cut whether a cut follows: no pull is under way then, and none starts before this resolves.
   */
  push(step: number, ids: BigUint64Array, gradients: Gradients, cut: boolean): Promise<void>;
  /** Writes each shard's state at that step under the prefix. */
  snapshot(step: number, objectPrefix: string): Promise<readonly ObjectInfo[]>;
  /** CPU seconds of all shards' processes. */
  usage(): Promise<{ readonly cpuSeconds: number }>;
  /** Bytes that went over this wire. */
  moved(): Moved;
  [Symbol.asyncDispose](): Promise<void>;
}
