import { present } from "@heddle/base";
import {
  type ExampleBatch,
  ownArrays,
  type RowMemory,
  type TransformProgram,
} from "@heddle/transform";
import { openNumberedIds, openUniqueOfBatch } from "./numbered-ids.ts";
import { trainingOrder } from "./order.ts";
import { type BatchMemory, ownMemory } from "./batch-memory.ts";

/** A place in a run's data: the next batch to train. */
export interface DataCursor {
  /** Index of the partition in the dataset. */
  readonly partition: number;
  /** Batch of the partition, from 0. */
  readonly batch: number;
}

/** One step's examples as the model sees them. */
export interface TrainingBatch {
  readonly at: DataCursor;
  /** Which micro-batch of the step it is; absent where it is the whole step. */
  readonly microBatch?: number;
  /** The partition's value, for messages. */
  readonly partition: string;
  readonly rows: number;
  /** shape [rows, numeric inputs]. */
  readonly numeric: Float32Array;
  /** Distinct ids of all embedding inputs. */
  readonly ids: BigUint64Array;
  /** shape [rows × embedding inputs]: position in `ids`. */
  readonly index: Int32Array;
  /** shape [rows], 0 or 1. */
  readonly label: Float32Array;
  /** shape [rows]. */
  readonly weight: Float32Array;
  /** Gives the arrays' memory back, where it is used again; they are not read after that. */
  readonly release?: () => void;
}

/** A partition's rows, transformed, in the dataset's order. */
export interface PartitionRows {
  readonly partition: string;
  readonly rows: number;
  readonly numeric: Float32Array;
  /** Distinct ids of all rows. */
  readonly ids: BigUint64Array;
  /** By embedding input: position in `ids`, shape [rows]. */
  readonly numbers: readonly Int32Array[];
  readonly label: Float32Array;
  readonly weight: Float32Array;
}

/** Gathers a partition, piece by piece, transforming each piece as it comes. */
export function openPartition(
  partition: string,
  rows: number,
  program: TransformProgram,
): { add(batch: ExampleBatch): void; rows(): PartitionRows; readonly received: number } {
  const numericWidth = program.numericNames.length;
  const whole = {
    partition,
    rows,
    numeric: new Float32Array(rows * numericWidth),
    numbers: program.embeddingNames.map(() => new Int32Array(rows)),
    label: new Float32Array(rows),
    weight: new Float32Array(rows),
  };
  const numbered = openNumberedIds();
  let received = 0;
  /** Numbers are written where the partition has them. */
  const inPlace: RowMemory = {
    ...ownArrays,
    float32: (length) => {
      const from = received * numericWidth;
      return whole.numeric.subarray(from, from + length);
    },
  };
  return {
    add: (batch) => {
      if (received + batch.rows <= rows) {
        program.numeric(batch, 0, batch.rows, inPlace);
        const coded = program.codedIds(batch);
        whole.numbers.forEach((numbers, input) => {
          numbered.write(present(coded[input], "an input's ids"), numbers, received);
        });
        whole.label.set(batch.label, received);
        whole.weight.set(batch.weight, received);
      }
      received += batch.rows;
    },
    rows: () => ({ ...whole, ids: numbered.end() }),
    get received() {
      return received;
    },
  };
}

/** Steps that a partition takes; the last one may be short. */
export function batchesOf(rows: number, batchSize: number): number {
  return Math.ceil(rows / batchSize);
}

/** Cuts a partition into the batches of its training order. */
export function batchCutter(
  data: PartitionRows,
  partitionIndex: number,
  batchSize: number,
  seed: number,
): (batch: number, memory?: BatchMemory) => TrainingBatch {
  const order = trainingOrder(data.partition, data.rows, seed);
  const numericWidth = data.numeric.length / data.rows;
  const inputs = data.numbers.map((numbers) => inOrder(numbers, order));
  const uniqueOf = openUniqueOfBatch(data.ids, inputs, Math.min(batchSize, data.rows));
  return (batch, memory = ownMemory) => {
    const from = batch * batchSize;
    const chosen = order.subarray(from, from + batchSize);
    const rows = chosen.length;
    const numeric = memory.float32(rows * numericWidth);
    const label = memory.float32(rows);
    const weight = memory.float32(rows);
    copyRows(data.numeric, chosen, numericWidth, numeric);
    copyRows(data.label, chosen, 1, label);
    copyRows(data.weight, chosen, 1, weight);
    const index = memory.int32(rows * inputs.length);
    const ids = uniqueOf(from, from + rows, index, memory);
    const at = { partition: partitionIndex, batch };
    return { at, partition: data.partition, rows, numeric, ids, index, label, weight };
  };
}

function inOrder(values: Int32Array, order: Uint32Array): Int32Array {
  const out = new Int32Array(order.length);
  for (let i = 0; i < out.length; i++) out[i] = values[order[i] as number] as number;
  return out;
}

/** out[i] = from[chosen[i]], rows of that width. */
function copyRows(from: Float32Array, chosen: Uint32Array, width: number, out: Float32Array): void {
  let to = 0;
  for (const row of chosen) {
    const start = row * width;
    for (let column = 0; column < width; column++) out[to++] = from[start + column] as number;
  }
}
