import type { StepPart } from "./step-part.ts";
import type { Overlap, Resumed } from "./update-order.ts";

/** What may be done with a call now. */
export type CallTurn = "now" | "wait" | "repeated" | "refuse" | "stale";

/** A push's place in the run. */
interface PushPlace {
  readonly step: number;
  readonly cut: boolean;
  /** The oldest state that it was computed from. */
  readonly state: number;
}

/** A mode of training as a shard keeps it: which calls may be answered, and what of them is applied when. */
export interface Course {
  /** Steps applied. */
  readonly applied: number;
  /** What overlapped, in bounded mode. */
  readonly overlap: Overlap | undefined;
  pullTurn(step: number): CallTurn;
  served(step: number, microBatch: number): void;
  pushTurn(place: PushPlace): CallTurn;
  /**
   * Takes a push whose turn is now; resolves when it is applied.
   *
   * @throws {HeddleError} NOT_FINITE, WRONG_SIZE, UNKNOWN_TABLE, TABLE_FULL; nothing of the step was applied then.
   */
  take(place: PushPlace, part: StepPart, signal: AbortSignal): Promise<void>;
  /** A push was refused because it is too stale. */
  refusedStale(): void;
  cutTurn(step: number): CallTurn;
  /** The copy of a cut is taken. @param hold whether nothing after it may begin, in bounded mode. */
  copied(step: number, hold?: boolean): void;
  returnTo(step: number): void;
  /** As that of `UpdateOrder`; absent in exact mode, where no shard is replaced alone. */
  resume?(from: Resumed): number;
  /** Pushes that wait are refused: the run returns to a cut, or another attempt has taken over. */
  refuseAll(error: unknown): void;
}
