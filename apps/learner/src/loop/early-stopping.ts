import type { EarlyStopping } from "@heddle/sdk";
import type { Progress } from "./progress.ts";

/**
 * A run as its next cut finds it, a pure function of what its snapshots hold: neither clock nor learners nor shards have a say.
 *
 * The measure is the progressive validation loss (A. Blum, A. Kalai, J. Langford: Beating the Hold-Out, COLT 1999) of the examples
 * since the cut before: each counts with its loss from before its own update, so it was new to the model that is judged by it. No
 * rows are held out for it, and no second pass is made.
 */
export function judgedAt({ minDelta = 0 }: EarlyStopping, progress: Progress): Progress {
  const { step, examples, lossSum, judged } = progress;
  const before = judged ?? { examples: 0, lossSum: 0 };
  const loss = (lossSum - before.lossSum) / (examples - before.examples);
  const isBetter = judged === undefined || loss < judged.best.loss - minDelta;
  const verdict = isBetter
    ? { best: { loss, step }, cutsSince: 0 }
    : { best: judged.best, cutsSince: judged.cutsSince + 1 };
  return { ...progress, judged: { examples, lossSum, loss, ...verdict } };
}

/** Whether a run trains no more, whatever data is left. */
export function hasStopped(
  earlyStopping: EarlyStopping | undefined,
  { judged }: Progress,
): boolean {
  if (earlyStopping === undefined || judged === undefined) return false;
  return judged.cutsSince >= earlyStopping.patience;
}
