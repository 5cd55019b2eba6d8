import { hash32, mix32 } from "@heddle/base";

/**
 * The order in which a partition's rows are trained: by a hash of (seed, partition, row), so that neighbours in the
 * dataset (one visit, one moment) are spread, and every attempt, whenever it starts, sees the same order.
 *
 * @param rows rows of the partition in the dataset's total order.
 * @returns shape [rows], each row once.
 */
export function trainingOrder(partition: string, rows: number, seed: number): Uint32Array {
  const partitionSeed = hash32(partition, seed);
  const keys = new Uint32Array(rows);
  for (let row = 0; row < rows; row++) keys[row] = mix32(partitionSeed, row);
  const order = new Uint32Array(rows).map((_, row) => row);
  return order.sort((a, b) => (keys[a] as number) - (keys[b] as number) || a - b);
}
