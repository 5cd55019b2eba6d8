import type { LogPlace } from "../data/log-place.ts";
import type { DataCursor, TrainingBatch } from "../data/rows.ts";

/** What the cuts of a run said of its loss. It lies in its snapshots, so that whoever goes on from one judges alike. */
interface Judged {
  /** Examples, and the sum of their losses, up to the cut that was judged last. */
  readonly examples: number;
  readonly lossSum: number;
  /** Mean loss of the examples between that cut and the one before. */
  readonly loss: number;
  /** The loss that later cuts are compared with, and the step of its cut. */
  readonly best: { readonly loss: number; readonly step: number };
  /** Cuts since then. */
  readonly cutsSince: number;
}

/** How far a run is: all that a step changes, besides parameters. */
export interface Progress {
  /** Steps applied. */
  readonly step: number;
  /** The next batch. */
  readonly cursor: DataCursor;
  /** Examples trained. */
  readonly examples: number;
  /** Sum of the examples' log losses, each from before its step. */
  readonly lossSum: number;
  /** Negatives among them, and how many rows these stand for: their quotient is the sampling rate. */
  readonly negatives: number;
  readonly negativeWeight: number;
  /** What its cuts said of the loss; absent before the first, and where the definition does not ask to stop early. */
  readonly judged?: Judged;
  /** At cuts of a training on the event log: how much of it is in the parameters. */
  readonly log?: LogPlace;
}

export const beginning: Progress = {
  step: 0,
  cursor: { partition: 0, batch: 0 },
  examples: 0,
  lossSum: 0,
  negatives: 0,
  negativeWeight: 0,
};

/** @param loss mean of the batch's examples. */
export function advanced(
  { step, examples, lossSum, negatives, negativeWeight, judged }: Progress,
  { rows, label, weight }: TrainingBatch,
  cursor: DataCursor,
  loss: number,
): Progress {
  let negativesHere = 0;
  let weightHere = 0;
  for (let row = 0; row < rows; row++) {
    if (label[row] !== 0) continue;
    negativesHere += 1;
    weightHere += weight[row] as number;
  }
  return {
    step: step + 1,
    cursor,
    examples: examples + rows,
    lossSum: lossSum + loss * rows,
    negatives: negatives + negativesHere,
    negativeWeight: negativeWeight + weightHere,
    ...(judged && { judged }),
  };
}
