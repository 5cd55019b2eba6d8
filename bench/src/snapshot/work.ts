import { seededRandom } from "@heddle/base";
import { uniqueIds } from "@heddle/kernels";
import { bytesOf } from "@heddle/tensor";

export const dimension = 16;
/** Bytes of a row in memory: id, values, Adagrad's slots. */
export const rowBytes = 8 + 8 * dimension;
/** Ids drawn for a step, before they are made distinct. */
const drawn = 12_288;

/** A step's distinct ids and their gradients, as a push sends them. */
export interface Batch {
  readonly ids: Uint8Array;
  readonly gradients: Uint8Array;
}

/** Steps whose ids follow Zipf's law with exponent 1 over so many rows. */
export function zipfBatches(rows: number, count: number): readonly Batch[] {
  const random = seededRandom(5);
  return Array.from({ length: count }, () => {
    const ids = BigUint64Array.from({ length: drawn }, () =>
      idOf(Math.floor(rows ** random.next()) - 1),
    );
    return batchOf(uniqueIds(ids).unique, random.next());
  });
}

/** Batches that hold each row once. */
export function* allRows(rows: number): Generator<Batch> {
  const each = 32_768;
  for (let from = 0; from < rows; from += each) {
    const count = Math.min(each, rows - from);
    yield batchOf(
      BigUint64Array.from({ length: count }, (_, i) => idOf(from + i)),
      from / rows,
    );
  }
}

/** Hashed ids, as features of text have them. */
function idOf(rank: number): bigint {
  return BigInt.asUintN(64, (BigInt(rank) + 1n) * 0x9e3779b97f4a7c15n);
}

function batchOf(ids: BigUint64Array, salt: number): Batch {
  const gradients = Float32Array.from(
    { length: ids.length * dimension },
    (_, i) => Math.sin(i * 12.9898 + salt * 78.233) / 8,
  );
  return { ids: bytesOf(ids), gradients: bytesOf(gradients) };
}
