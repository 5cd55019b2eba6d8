import { uniqueIds } from "@heddle/kernels";
import type { ExampleBatch, TransformProgram } from "@heddle/transform";
import { trainingOrder } from "./order.ts";

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
}

/** A partition's rows, transformed, in the dataset's order. */
export interface PartitionRows {
  readonly partition: string;
  readonly rows: number;
  readonly numeric: Float32Array;
  readonly ids: BigUint64Array;
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
  const idWidth = program.embeddingNames.length;
  const whole = {
    partition,
    rows,
    numeric: new Float32Array(rows * numericWidth),
    ids: new BigUint64Array(rows * idWidth),
    label: new Float32Array(rows),
    weight: new Float32Array(rows),
  };
  let received = 0;
  return {
    add: (batch) => {
      if (received + batch.rows <= rows) {
        const { numeric, ids } = program.run(batch);
        whole.numeric.set(numeric, received * numericWidth);
        whole.ids.set(ids, received * idWidth);
        whole.label.set(batch.label, received);
        whole.weight.set(batch.weight, received);
      }
      received += batch.rows;
    },
    rows: () => whole,
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
): (batch: number) => TrainingBatch {
  const order = trainingOrder(data.partition, data.rows, seed);
  const numericWidth = data.numeric.length / data.rows;
  const idWidth = data.ids.length / data.rows;
  return (batch) => {
    const chosen = order.subarray(batch * batchSize, (batch + 1) * batchSize);
    const rows = chosen.length;
    const numeric = new Float32Array(rows * numericWidth);
    const ids = new BigUint64Array(rows * idWidth);
    const label = new Float32Array(rows);
    const weight = new Float32Array(rows);
    chosen.forEach((row, i) => {
      copyRow(data.numeric, row, numeric, i, numericWidth);
      ids.set(data.ids.subarray(row * idWidth, (row + 1) * idWidth), i * idWidth);
      label[i] = data.label[row] as number;
      weight[i] = data.weight[row] as number;
    });
    const { unique, index } = uniqueIds(ids);
    const at = { partition: partitionIndex, batch };
    return { at, partition: data.partition, rows, numeric, ids: unique, index, label, weight };
  };
}

function copyRow(
  from: Float32Array,
  fromRow: number,
  to: Float32Array,
  toRow: number,
  width: number,
): void {
  for (let i = 0; i < width; i++) to[toRow * width + i] = from[fromRow * width + i] as number;
}
