import { failpoint } from "@heddle/failpoint";
import type { LoopOptions } from "./loop.ts";
import { checkFinite } from "./not-finite.ts";
import type { TrainingBatch } from "../data/rows.ts";
import { openPushes } from "./pushes.ts";
import type { Bounds, Pulled } from "../wire/wire.ts";
import { advanced, type Progress } from "./progress.ts";

export interface BoundedOptions extends Omit<
  LoopOptions,
  "lag" | "microBatches" | "own" | "earlyStopping"
> {
  readonly bounds: Bounds;
  /** Number of this learner, from 0, and how many there are: update n belongs to learner (n − 1) mod learners. */
  readonly number: number;
  readonly learners: number;
}

/** An update of this learner, pulled or on its way. */
interface Update {
  readonly number: number;
  readonly batch: TrainingBatch;
  readonly pulling: Promise<Pulled>;
}

/**
 * Trains this learner's updates in `bounded` mode, from `from` to the end of the data. The shards say when an update may be pulled,
 * and refuse a push that is too stale; then it is pulled and computed again, before anything else.
 *
 * At each cut, and at the end, all updates of all learners are applied; then `onCut` has the run at rest. `onStep` is told how far this
 * learner has read.
 *
 * @throws {HeddleError} INVALID_ARGUMENT NOT_FINITE naming learner, update, partition and batch.
 */
export async function trainBounded(
  options: BoundedOptions,
  from: Progress,
  signal: AbortSignal,
): Promise<Progress> {
  const { wire, batches, stages, snapshotSteps, learners, aroundStep } = options;
  const aheadMax = Math.max(1, Math.ceil(options.bounds.inFlight / learners));
  /** As of all that was read: updates ahead are in it. */
  let read = from;
  let batch = await stages.wait("read", batches.next(signal));
  let ahead: Update[] = [];
  const pushes = openPushes<Update>();
  const begin = (number: number, of: TrainingBatch): Update => {
    const pulling = stages.work("pull", () => wire.pull(number, of.ids));
    pulling.catch(() => undefined);
    return { number, batch: of, pulling };
  };

  for (;;) {
    const cut = (Math.floor(read.step / snapshotSteps) + 1) * snapshotSteps;
    for (;;) {
      signal.throwIfAborted();
      // What was refused comes first: nobody's pull waits for it then.
      ahead = [...pushes.refused().map((of) => begin(of.number, of.batch)), ...ahead];
      while (batch !== undefined && read.step < cut && ahead.length < aheadMax) {
        const now: TrainingBatch = batch;
        const number = read.step + 1;
        if ((number - 1) % learners === options.number) ahead.push(begin(number, kept(now)));
        // What follows the batch is known when the next one is read, which may need its memory.
        const after = advanced(read, now, now.at, 0);
        now.release?.();
        batch = await stages.wait("read", batches.next(signal));
        read = { ...after, cursor: batch?.at ?? batches.end };
      }
      const update = ahead.shift();
      if (update === undefined && pushes.idle) break;
      if (update === undefined) await stages.wait("push", pushes.next());
      else await aroundStep(update.number, () => compute(update));
    }
    // This learner's updates are applied; the last ones of others may not be.
    const { lossSum } = await stages.wait("push", wire.usage(read.step));
    if (batch === undefined) return { ...read, lossSum };
    await stages.wait("snapshot", options.onCut({ ...read, lossSum }));
  }

  async function compute(update: Update): Promise<void> {
    const { number, batch: of } = update;
    const pulled = await stages.wait("pull", update.pulling);
    const computing = stages.work("compute", () => options.network.step(of, pulled));
    const result = await stages.wait("compute", computing);
    wire.release(pulled);
    stages.work("compute", () => checkFinite(options.learner, number, of, result));
    const notes = {
      lossSum: result.loss * of.rows,
      learnerCpuSeconds: options.cpuSeconds?.() ?? 0,
      ...(pulled.states && { states: pulled.states }),
    };
    const push = stages.work("push", () =>
      wire.push(number, of.ids, result.gradients, false, notes),
    );
    pushes.sent(
      update,
      push.finally(() => result.release?.()),
    );
    failpoint("learner.step.after-push");
    options.onStep(read, result.loss);
  }
}

/** A copy: more updates may be in flight than the reader has memory for, and each may have to be computed again. */
function kept({ release: _, ...batch }: TrainingBatch): TrainingBatch {
  return {
    ...batch,
    ...{ numeric: batch.numeric.slice(), ids: batch.ids.slice(), index: batch.index.slice() },
    ...{ label: batch.label.slice(), weight: batch.weight.slice() },
  };
}
