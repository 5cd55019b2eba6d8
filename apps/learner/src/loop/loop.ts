import { failpoint } from "@heddle/failpoint";
import type { EarlyStopping } from "@heddle/sdk";
import type { Batches } from "../data/batches.ts";
import type { LogPlaces } from "../data/log-place.ts";
import type { TrainingBatch } from "../data/rows.ts";
import { hasStopped, judgedAt } from "./early-stopping.ts";
import { type ComputedPart, lossOf, openShare, type ShareOptions, watched } from "./share.ts";
import { type Progress, advanced } from "./progress.ts";

export interface LoopOptions extends ShareOptions {
  readonly batches: Batches;
  readonly lag: 0 | 1;
  readonly snapshotSteps: number;
  /** Where the data lies in the event log; then cuts lie at the ends of its windows, and nowhere else. Absent where it is of files. */
  readonly log?: LogPlaces;
  /** When to end before the data does; never when absent. */
  readonly earlyStopping?: EarlyStopping;
  /** Runs one step's work; where a step's span comes from. */
  readonly aroundStep: <T>(step: number, run: () => Promise<T>) => Promise<T>;
  /** After each step, with the mean loss of this learner's examples; its `lossSum` is exact at cuts, where all learners' are in it. */
  readonly onStep: (progress: Progress, loss: number) => void;
  /** At each cut but the last: all pushes are applied, no pull is under way. */
  readonly onCut: (progress: Progress) => Promise<void>;
}

/**
 * Trains this learner's micro-batches from `from` to the end of the data, or to the cut at which it stops early.
 *
 * While step t computes, batch t+1 is prepared and, with a lag of 1, pulled; the push of t travels while t+1 is pulled. Cuts
 * lie at multiples of `snapshotSteps` (at the ends of windows where the data is of the event log) and at the end: there the overlap stops, whether or not this attempt is interrupted,
 * so a run resumed from a cut computes what an undisturbed one does. There all learners read the same sum of losses, so they stop at
 * the same cut.
 *
 * @throws {HeddleError} INVALID_ARGUMENT NOT_FINITE naming learner, step, partition and batch.
 */
export async function train(
  options: LoopOptions,
  from: Progress,
  signal: AbortSignal,
): Promise<Progress> {
  const { wire, batches, stages, lag, snapshotSteps, aroundStep, onStep, onCut } = options;
  const { earlyStopping, log } = options;
  const isCut = (step: number, next: TrainingBatch | undefined): boolean =>
    next === undefined || (log === undefined ? step % snapshotSteps === 0 : next.at.batch === 0);
  const share = openShare(options);
  let progress = from;
  let batch = await stages.wait("read", batches.next(signal));
  let pulling = batch && share.pull(from.step + 1, batch);
  let pushing: Promise<unknown> = Promise.resolve();

  while (batch !== undefined && pulling !== undefined) {
    const now: TrainingBatch = batch;
    const pull = pulling;
    const step = progress.step + 1;
    signal.throwIfAborted();
    await aroundStep(step, async () => {
      const pulled = await stages.wait("pull", pull);
      const computing = share.compute(step, pulled);
      batch = await stages.wait("read", batches.next(signal));
      const cut = isCut(step, batch);
      if (lag === 1 && !cut && batch) pulling = share.pull(step + 1, batch);
      const computed = await stages.wait("compute", computing);

      await stages.wait("push", pushing);
      failpoint("learner.step.before-push");
      pushing = watched(share.push(step, computed, cut).then(() => giveBack(now, computed)));
      failpoint("learner.step.after-push");
      if (lag === 0 && !cut && batch) pulling = share.pull(step + 1, batch);
      const loss = lossOf(computed);
      progress = advanced(progress, now, batch?.at ?? batches.end, loss);
      onStep(progress, loss);
      if (!cut) return;
      await stages.wait("push", pushing);
      const { lossSum } = await stages.wait("push", wire.usage());
      progress = { ...progress, lossSum, ...(log && { log: log.at(progress.cursor) }) };
      if (batch === undefined) return;
      if (earlyStopping !== undefined) progress = judgedAt(earlyStopping, progress);
      if (hasStopped(earlyStopping, progress)) {
        batch.release?.();
        batch = undefined;
        return;
      }
      await stages.wait("snapshot", onCut(progress));
      pulling = share.pull(step + 1, batch);
    });
  }
  return progress;
}

/** Nothing reads a step's memory once its gradients are on the shards; a push that failed may still be read, and ends the attempt. */
function giveBack(batch: TrainingBatch, parts: readonly ComputedPart[]): void {
  batch.release?.();
  for (const { result } of parts) result.release?.();
}
