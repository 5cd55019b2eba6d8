import { seededRandom } from "@heddle/base";
import { uniqueIds } from "@heddle/kernels";
import { bytesOf } from "@heddle/tensor";

export const dimension = 16;
const features = 26;
const examples = 4_096;
/** Ids that a feature has; drawn by Zipf's law with exponent 1. */
const idsOfFeature = 1_000_000;

/** What a step moves. */
export interface Work {
  readonly rows: number;
  /** The step's distinct ids. */
  readonly ids: Uint8Array;
  /** A row for each id. */
  readonly values: Uint8Array;
  /** Both ways together: ids and rows pulled, ids and gradients pushed. */
  readonly bytes: number;
}

export function makeWork(): Work {
  const random = seededRandom(11);
  const drawn = BigUint64Array.from({ length: features * examples }, (_, i) => {
    const rank = Math.floor(idsOfFeature ** random.next()) - 1;
    return BigInt((i % features) * idsOfFeature + rank);
  });
  const { unique } = uniqueIds(drawn);
  const values = new Float32Array(unique.length * dimension).map((_, i) => (i % 1021) / 1024);
  const [ids, rows] = [bytesOf(unique), bytesOf(values)];
  return { rows: unique.length, ids, values: rows, bytes: 2 * (ids.length + rows.length) };
}
