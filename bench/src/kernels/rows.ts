import { seededRandom } from "@heddle/base";
import type { ParameterTable } from "@heddle/kernels";
import type { PlainSpec } from "@heddle/kernels/fixtures";

export const dimension = 16;

/** As in `bench/kernels/peer.cpp`; rows start as zeros, so that what is measured is never drawing. */
export const spec: PlainSpec = {
  dimension,
  optimizer: { kind: "adagrad", rate: 0.05, initialAccumulator: 0.1, epsilon: 1e-7 },
  initialDeviation: 0,
  seed: 1,
  rowsMax: 20_000_000,
};

export interface Work {
  /** Ids of all rows, random 64-bit numbers. */
  readonly rows: BigUint64Array;
  /** Each without repetition, as a learner asks: Zipf with exponent 1 over the rows. */
  readonly batches: readonly BigUint64Array[];
  /** shape [ids of a batch, dimension]. */
  readonly gradients: Float32Array;
}

export function makeWork(rowCount: number, batchCount: number, batchIds: number): Work {
  const random = seededRandom(7);
  const rows = BigUint64Array.from(
    { length: rowCount },
    () => (BigInt(random.below(2 ** 32)) << 32n) | BigInt(random.below(2 ** 32)),
  );
  const batches = Array.from({ length: batchCount }, () => {
    const chosen = new Set<number>();
    while (chosen.size < batchIds) chosen.add(Math.floor(rowCount ** random.next()) - 1);
    return BigUint64Array.from(chosen, (row) => rows[row] ?? 0n);
  });
  const gradients = Float32Array.from(
    { length: batchIds * dimension },
    (_, i) => ((i % 1021) - 510) / 1024,
  );
  return { rows, batches, gradients };
}

/** Makes all rows, which a gradient of zero does. */
export function fill(table: ParameterTable, { rows }: Work): ParameterTable {
  const piece = 65_536;
  const zeros = new Float32Array(piece * dimension);
  for (let from = 0; from < rows.length; from += piece) {
    const ids = rows.subarray(from, from + piece);
    table.push(ids, zeros.subarray(0, ids.length * dimension));
  }
  return table;
}
