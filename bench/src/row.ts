export type Verdict = "holds" | "missed" | "not enough runs";

/** One line of a bench's table and of its JSON file. */
export interface Row {
  readonly measure: string;
  readonly value: number;
  readonly unit: string;
  /** 95 % interval of the value over the rounds. */
  readonly low: number;
  readonly high: number;
  /** Rounds behind it. */
  readonly runs: number;
  /** What it is measured beside, in the same rounds. */
  readonly peer?: string;
  readonly peerValue?: number;
  /** value / peerValue, paired by round. */
  readonly ratio?: number;
  /** 95 % interval of the ratio. */
  readonly ratioLow?: number;
  readonly ratioHigh?: number;
  readonly goal?: string;
  /** The goal beside the whole interval: all of it reaches the goal, none of it does, or neither. */
  readonly verdict?: Verdict;
  /** Why it was not measured; the other figures mean nothing then. */
  readonly skipped?: string;
}

/** A goal on the ratio to a peer: `at least` or `at most` this. */
export interface Goal {
  readonly atLeast?: number;
  readonly atMost?: number;
}
