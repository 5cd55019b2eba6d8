import { HeddleError } from "@heddle/base";
import { failpoint } from "@heddle/failpoint";
import { allFinite } from "@heddle/tensor";
import type { Batches } from "./batches.ts";
import type { Network, StepResult } from "./network.ts";
import type { DataCursor, TrainingBatch } from "./rows.ts";
import type { Stages } from "./stages.ts";
import type { Pulled, Wire } from "./wire.ts";

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
}

export const beginning: Progress = {
  step: 0,
  cursor: { partition: 0, batch: 0 },
  examples: 0,
  lossSum: 0,
  negatives: 0,
  negativeWeight: 0,
};

export interface LoopOptions {
  /** Who computes, for messages: the job. */
  readonly learner: string;
  readonly wire: Wire;
  readonly network: Network;
  readonly batches: Batches;
  readonly stages: Stages;
  readonly lag: 0 | 1;
  readonly snapshotSteps: number;
  /** Runs one step's work; where a step's span comes from. */
  readonly aroundStep: <T>(step: number, run: () => Promise<T>) => Promise<T>;
  /** After each step. */
  readonly onStep: (progress: Progress, loss: number) => void;
  /** At each cut but the last: all pushes are applied, no pull is under way. */
  readonly onCut: (progress: Progress) => Promise<void>;
}

/**
 * Trains from `from` to the end of the data.
 *
 * While step t computes, batch t+1 is prepared and, with a lag of 1, pulled; the push of t travels while t+1 is pulled. Cuts
 * lie at multiples of `snapshotSteps` and at the end: there the overlap stops, whether or not this attempt is interrupted,
 * so a run resumed from a cut computes what an undisturbed one does.
 *
 * @throws {HeddleError} INVALID_ARGUMENT NOT_FINITE naming learner, step, partition and batch.
 */
export async function train(
  options: LoopOptions,
  from: Progress,
  signal: AbortSignal,
): Promise<Progress> {
  const { wire, batches, stages, lag, snapshotSteps, aroundStep, onStep, onCut } = options;
  let progress = from;
  let batch = await stages.wait("read", batches.next(signal));
  const pullFor = (step: number, { ids }: TrainingBatch): Promise<Pulled> =>
    watched(stages.work("pull", () => wire.pull(step, ids)));
  let pulling = batch && pullFor(from.step + 1, batch);
  let pushing: Promise<void> = Promise.resolve();

  while (batch !== undefined && pulling !== undefined) {
    const now: TrainingBatch = batch;
    const pull = pulling;
    const step = progress.step + 1;
    signal.throwIfAborted();
    await aroundStep(step, async () => {
      const pulled = await stages.wait("pull", pull);
      const computing = watched(stages.work("compute", () => options.network.step(now, pulled)));
      batch = await stages.wait("read", batches.next(signal));
      const cut = batch === undefined || step % snapshotSteps === 0;
      if (lag === 1 && !cut && batch) pulling = pullFor(step + 1, batch);
      const result = await stages.wait("compute", computing);
      wire.release(pulled);
      stages.work("compute", () => checkFinite(options.learner, step, now, result));

      await stages.wait("push", pushing);
      const pushed = stages.work("push", () => wire.push(step, now.ids, result.gradients, cut));
      pushing = watched(pushed.finally(() => giveBack(now, result)));
      failpoint("learner.step.after-push");
      if (lag === 0 && !cut && batch) pulling = pullFor(step + 1, batch);
      progress = advanced(progress, now, batch?.at ?? batches.end, result.loss);
      onStep(progress, result.loss);
      if (!cut) return;
      await stages.wait("push", pushing);
      if (batch === undefined) return;
      await stages.wait("snapshot", onCut(progress));
      pulling = pullFor(step + 1, batch);
    });
  }
  return progress;
}

function advanced(
  { step, examples, lossSum, negatives, negativeWeight }: Progress,
  { rows, label, weight }: TrainingBatch,
  cursor: DataCursor,
  loss: number,
): Progress {
  let negativesHere = 0;
  let weightHere = 0;
  label.forEach((positive, row) => {
    if (positive !== 0) return;
    negativesHere += 1;
    weightHere += weight[row] as number;
  });
  return {
    step: step + 1,
    cursor,
    examples: examples + rows,
    lossSum: lossSum + loss * rows,
    negatives: negatives + negativesHere,
    negativeWeight: negativeWeight + weightHere,
  };
}

/** Nothing reads a step's memory once its gradients are on the shards. */
function giveBack(batch: TrainingBatch, result: StepResult): void {
  batch.release?.();
  result.release?.();
}

/** A failure is learnt of where the promise is awaited; until then it is nobody's, and no reason to stop the process. */
function watched<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

function checkFinite(
  learner: string,
  step: number,
  { partition, at }: TrainingBatch,
  { loss, gradients }: StepResult,
): void {
  const named = [...Object.entries(gradients.rows), ...Object.entries(gradients.dense)];
  const wrong = Number.isFinite(loss)
    ? named.find(([, values]) => !allFinite(values))?.[0]
    : "the loss";
  if (wrong === undefined) return;
  throw new HeddleError(
    "INVALID_ARGUMENT",
    "NOT_FINITE",
    `${wrong} is not finite in step ${step} of learner ${learner} (partition ${partition}, batch ${at.batch}); nothing of the step was pushed: lower the learning rates, or look for extreme feature values in that partition`,
    { metadata: { learner, step: String(step), partition, batch: String(at.batch) } },
  );
}
