import { pieces } from "../pieces.ts";
import { stage } from "./batch-stage.ts";

/** out[i] = rows[index[i]]; `rows` shape [n, dimension], `out` shape [index, dimension]. */
export function gatherRows(
  rows: Float32Array,
  dimension: number,
  index: Int32Array,
  out: Float32Array,
): void {
  const { kernel, whole, places, piece, at } = stage(rows.length, dimension);
  whole.set(rows);
  for (const { from, to } of pieces(index.length, places.length)) {
    places.set(index.subarray(from, to));
    kernel.gather(at.whole, dimension * 4, at.places, to - from, at.piece);
    out.set(piece.subarray(0, (to - from) * dimension), from * dimension);
  }
}

/** out[index[i]] = rows[i], the way back of `gatherRows`; positions not named stay as they are. */
export function scatterRows(
  rows: Float32Array,
  dimension: number,
  index: Int32Array,
  out: Float32Array,
): void {
  let from = 0;
  for (let i = 0; i < index.length; i++) {
    const to = (index[i] as number) * dimension;
    for (let column = 0; column < dimension; column++) out[to + column] = rows[from++] as number;
  }
}

/**
 * Sums the gradients of equal ids in row order, in float32, so that the sum's bits do not depend on anything else.
 *
 * @param parts one after the other, shape [index, dimension].
 * @param out shape [uniqueCount, dimension]; out[u] becomes the sum of the rows i with index[i] = u.
 */
export function sumGradients(
  parts: readonly Float32Array[],
  dimension: number,
  index: Int32Array,
  uniqueCount: number,
  out: Float32Array,
): void {
  const { kernel, whole, places, piece, at } = stage(uniqueCount * dimension, dimension);
  whole.fill(0);
  let first = 0;
  for (const part of parts) {
    const rows = part.length / dimension;
    for (const { from, to } of pieces(rows, places.length)) {
      places.set(index.subarray(first + from, first + to));
      piece.set(part.subarray(from * dimension, to * dimension));
      kernel.add(at.piece, dimension * 4, at.places, to - from, at.whole);
    }
    first += rows;
  }
  out.set(whole);
}
