import type { Layer } from "../cuts/chain.ts";
import type { Moved } from "./traffic.ts";
import type { Parameters } from "../parameters.ts";

/** All parameters of a run, as each shard gets its part of them. */
export interface RunDeclaration extends Parameters {
  readonly run: string;
  /** Fencing token of this attempt. */
  readonly fence: number;
  readonly lag: 0 | 1;
  /** Micro-batches of a step; 1 when absent. */
  readonly microBatches?: number;
  /** Number of this learner, 0 when absent; another waits, as it opens its wire, until learner 0 has restored. */
  readonly learner?: number;
  /** Learners of the gang; 1 when absent. */
  readonly learners?: number;
  /** Bounded mode, and its bounds; exact mode when absent. */
  readonly bounds?: Bounds;
}

/** Bounds of bounded mode. */
export interface Bounds {
  readonly staleness: number;
  readonly inFlight: number;
  /** 0 for any number. */
  readonly pushesPerSecond: number;
  readonly snapshotSteps: number;
  /** Rows that were pulled up to so many pushes ago need not be asked for again; all are when absent. */
  readonly rowAge?: number;
}

/** What a step reads. */
export interface Pulled {
  /** By table: rows in the order of the ids, shape [ids, dimension]. */
  readonly rows: Readonly<Record<string, Float32Array>>;
  /** Dense parameters by name. */
  readonly dense: Readonly<Record<string, Float32Array>>;
  /** By shard: the oldest state that any of it was read at. */
  readonly states?: readonly number[];
}

/** What a step changes: gradients of what it pulled. */
export interface Gradients {
  /** By table: shape [ids, dimension]. */
  readonly rows: Readonly<Record<string, Float32Array>>;
  readonly dense: Readonly<Record<string, Float32Array>>;
}

/** What a push says beside its gradients. */
interface PushNotes {
  /** Micro-batch of the step; 0 when absent. */
  readonly microBatch?: number;
  /** Sum of the log losses of its examples. */
  readonly lossSum?: number;
  /** CPU seconds that a learner other than the leader spent since it last said so. */
  readonly learnerCpuSeconds?: number;
  /** Bounded mode: `states` of what was pulled. */
  readonly states?: readonly number[];
}

/** What the shards can say of a run. */
interface WireUsage {
  /** Steps applied. */
  readonly step: number;
  /** CPU seconds of all shards' processes in this attempt, and of those learners that do not lead. */
  readonly cpuSeconds: number;
  /** Sum of the log losses of all examples up to the step that is applied. */
  readonly lossSum: number;
  /** Bounded mode: what overlapped in this attempt, over all shards. */
  readonly overlap?: Overlap;
  /** What became of rows in this attempt, over all shards. */
  readonly rows?: RowTurnover;
}

/** Rows that ids did not get, or got no longer. */
export interface RowTurnover {
  /** Rows of gradients that were dropped because their ids had not been admitted. */
  readonly refused: number;
  /** Rows that expired, as far as their memory was taken back. */
  readonly expired: number;
  /** Ids that are counted for admission and have no row yet. */
  readonly counted: number;
}

/** What the bounds did, over all shards. */
export interface Overlap {
  /** Pushes of all shards by staleness, from 0 to the bound. */
  readonly pushes: readonly number[];
  /** Most updates that were under way at a time on one shard. */
  readonly inFlightMax: number;
  /** Pushes that one shard refused as too stale. */
  readonly refused: number;
}

/** Where a process listens that took a lost shard's place, and its life. */
export interface NewPlace {
  readonly shard: number;
  readonly address: string;
  readonly life: number;
}

/** A cut that shards may be restored to. */
export interface CutPlace {
  readonly step: number;
  readonly layers: readonly Pick<Layer, "files">[];
}

/** A shard is whole again. */
export interface Regained {
  /** Step of the cut that was restored. */
  readonly snapshotStep: number;
  /** Updates that the lost process had applied after the cut that was restored. */
  readonly lostUpdates: number;
}

/**
 * The learner's side of the shards: it splits ids over them and puts answers together again, so that
 * the loop does not know how many there are. When a call is answered, `StepOrder` and `UpdateOrder` of the parameter server say.
 */
export interface Wire {
  /** The step that the leader has restored, for a learner that does not lead. */
  readonly restored?: number;
  /**
   * Returns all shards to a cut; without layers to the initial parameters.
   *
   * @param lossSum sum of the log losses of all examples up to it.
   * @throws {HeddleError} FAILED_PRECONDITION SNAPSHOT_DIFFERS.
   */
  restore(step: number, layers: readonly Pick<Layer, "files">[], lossSum?: number): Promise<void>;
  /**
   * Reads all tables' rows of `ids` (without repetition) and all dense parameters, as the step must see them.
   *
   * @param microBatch of the step; 0 when absent.
   */
  pull(step: number, ids: BigUint64Array, microBatch?: number): Promise<Pulled>;
  /**
   * Gives the memory of what was pulled back: nobody may read it any more, a later pull's values will lie there. What is never
   * released is never used again.
   */
  release(pulled: Pulled): void;
  /**
   * Applies a step's gradients once; resolves when the whole step is applied. Until then they are left alone: where nothing carries
   * them, the shard reads them where they lie.
   *
   * @throws {HeddleError} ABORTED STALE_PUSH in bounded mode, when a shard refused it: pull and compute again. Shards that have
   *   applied it acknowledge the next push of the step, and do not apply it.
   * @param cut whether a cut follows: no pull is under way then, and none starts before this resolves.
   */
  push(
    step: number,
    ids: BigUint64Array,
    gradients: Gradients,
    cut: boolean,
    notes?: PushNotes,
  ): Promise<void>;
  /**
   * Has each shard take a cut at that step, at once; a cut before it is given up.
   *
   * @param since only rows changed after that step; all when absent.
   * @param hold bounded mode: nothing after the cut begins before the same is asked without it; so the cut can be taken again where a
   *   shard is lost meanwhile.
   * @throws {HeddleError} ABORTED SHARD_REPLACED when a shard was lost, unless it is held: there will be no snapshot of this cut.
   */
  freeze(step: number, since?: number, hold?: boolean): Promise<void>;
  /**
   * Writes each shard's cut of that step under the prefix, while steps go on.
   *
   * @throws {HeddleError} ABORTED SHARD_REPLACED when a shard that has taken the cut is lost.
   */
  snapshot(step: number, objectPrefix: string): Promise<Omit<Layer, "step">>;
  /** @param step is waited for: until so many are applied; 0, and absent, for at once. */
  usage(step?: number): Promise<WireUsage>;
  /**
   * Bounded mode: another process has taken a lost shard's place. Calls of before end, or wait for it, until this learner and all others have
   * come back to it; absent in exact mode, where shards are not replaced alone.
   *
   * @param cutOf for the leader: the cut that it is restored to, once the snapshot under way has ended.
   * @returns what the loss cost; undefined when this process is lost, too.
   * @throws {HeddleError} what failed; then all calls to that shard fail by it.
   */
  replace?(place: NewPlace, cutOf?: () => Promise<CutPlace>): Promise<Regained | undefined>;
  /** Bytes that went over this wire. */
  moved(): Moved;
  [Symbol.asyncDispose](): Promise<void>;
}
