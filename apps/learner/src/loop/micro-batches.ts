import { openScratch } from "@heddle/base";
import { gatherIds } from "@heddle/kernels";
import type { TrainingBatch } from "../data/rows.ts";

/** A learner's share of a step. */
export interface MicroBatch {
  /** Its number in the step, from 0. */
  readonly number: number;
  readonly batch: TrainingBatch;
}

/**
 * Which micro-batches of a step a learner has: every n-th. The first learner, who leads, has number 0, so no step is applied without it.
 */
export function shareOf(microBatches: number, learner: number, learners: number): number[] {
  const own: number[] = [];
  for (let number = learner; number < microBatches; number += learners) own.push(number);
  return own;
}

/**
 * Cuts a step's batch into micro-batches of as equal size as can be, each of rows that follow one another; a batch of fewer rows than
 * micro-batches leaves some of them empty.
 *
 * @param numbers those wanted.
 * @param microBatches how many make up the step.
 */
export function cutMicroBatches(
  batch: TrainingBatch,
  numbers: readonly number[],
  microBatches: number,
): MicroBatch[] {
  if (microBatches === 1) return numbers.map((number) => ({ number, batch }));
  return numbers.map((number) => {
    const from = Math.floor((number * batch.rows) / microBatches);
    const to = Math.floor(((number + 1) * batch.rows) / microBatches);
    return { number, batch: { ...rowsOf(batch, from, to), microBatch: number } };
  });
}

function rowsOf(batch: TrainingBatch, from: number, to: number): TrainingBatch {
  // Views, not copies: the batch stays as it is until its step is pushed.
  const part = <T extends Float32Array | Int32Array>(values: T): T => {
    const width = values.length / batch.rows;
    return values.subarray(from * width, to * width) as T;
  };
  const { ids, index } = idsOf(batch.ids, part(batch.index));
  return {
    ...{ at: batch.at, partition: batch.partition, rows: to - from },
    ...{ numeric: part(batch.numeric), ids, index },
    ...{ label: part(batch.label), weight: part(batch.weight) },
  };
}

const orderMemory = openScratch((length) => new Int32Array(length));
const usedMemory = openScratch((length) => new Int32Array(length));

/**
 * The ids that stand at some places, each once, in the order in which they are given.
 *
 * @returns `index`, shape [places]: where each is among them.
 */
function idsOf(all: BigUint64Array, places: Int32Array) {
  /** 1 where an id is used, then where it comes, from 1. */
  const order = orderMemory(all.length).fill(0);
  const used = usedMemory(all.length);
  for (let i = 0; i < places.length; i++) order[places[i] as number] = 1;
  let count = 0;
  for (let place = 0; place < all.length; place++) {
    if (order[place] === 0) continue;
    used[count++] = place;
    order[place] = count;
  }
  const index = new Int32Array(places.length);
  for (let i = 0; i < places.length; i++) index[i] = (order[places[i] as number] as number) - 1;
  return { ids: gatherIds(all, used.subarray(0, count)), index };
}
