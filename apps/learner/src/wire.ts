import type { ObjectInfo } from "@heddle/objects";
import type { Network } from "./network.ts";

/** All parameters of a run, as each shard gets its part of them. */
export interface RunDeclaration {
  readonly run: string;
  /** Fencing token of this attempt. */
  readonly fence: number;
  readonly lag: 0 | 1;
  /** Micro-batches of a step; 1 when absent. */
  readonly microBatches?: number;
  /** Number of this learner, 0 when absent; another waits, as it opens its wire, until learner 0 has restored. */
  readonly learner?: number;
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

/** What a push says beside its gradients. */
export interface PushNotes {
  /** Micro-batch of the step; 0 when absent. */
  readonly microBatch?: number;
  /** Sum of the log losses of its examples. */
  readonly lossSum?: number;
  /** CPU seconds that a learner other than the leader spent since it last said so. */
  readonly learnerCpuSeconds?: number;
}

/** What the shards can say of a run. */
export interface WireUsage {
  /** Steps applied. */
  readonly step: number;
  /** CPU seconds of all shards' processes in this attempt, and of those learners that do not lead. */
  readonly cpuSeconds: number;
  /** Sum of the log losses of all examples up to the step that is applied. */
  readonly lossSum: number;
}

/**
 * The learner's side of the shards: it splits ids over them and puts answers together again, so that
 * the loop does not know how many there are. In `exact` mode, as `StepOrder` of the parameter server has it.
 */
export interface Wire {
  /**
   * Returns all shards to a cut; without files to the initial parameters.
   *
   * @param lossSum sum of the log losses of all examples up to it.
   * @throws {HeddleError} FAILED_PRECONDITION SNAPSHOT_DIFFERS.
   */
  restore(step: number, files: readonly ObjectInfo[], lossSum?: number): Promise<void>;
  /**
   * Reads all tables' rows of `ids` (without repetition) and all dense parameters, as the step must see them.
   *
   * @param microBatch of the step; 0 when absent.
   */
  pull(step: number, ids: BigUint64Array, microBatch?: number): Promise<Pulled>;
  /**
   * Applies a step's gradients once; resolves when the whole step is applied.
   *
   * @param cut whether a cut follows: no pull is under way then, and none starts before this resolves.
   */
  push(
    step: number,
    ids: BigUint64Array,
    gradients: Gradients,
    cut: boolean,
    notes?: PushNotes,
  ): Promise<void>;
  /** Writes each shard's state at that step under the prefix. */
  snapshot(step: number, objectPrefix: string): Promise<readonly ObjectInfo[]>;
  usage(): Promise<WireUsage>;
  [Symbol.asyncDispose](): Promise<void>;
}
