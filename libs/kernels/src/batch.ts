/** out[i] = rows[index[i]]; `rows` shape [n, dimension], `out` shape [index, dimension]. */
export function gatherRows(
  rows: Float32Array,
  dimension: number,
  index: Int32Array,
  out: Float32Array,
): void {
  let to = 0;
  for (let i = 0; i < index.length; i++) {
    const from = (index[i] as number) * dimension;
    for (let column = 0; column < dimension; column++) out[to++] = rows[from + column] as number;
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
 * @param gradients shape [index, dimension].
 * @param out shape [uniqueCount, dimension]; out[u] becomes the sum of the rows i with index[i] = u.
 */
export function sumGradients(
  gradients: Float32Array,
  dimension: number,
  index: Int32Array,
  uniqueCount: number,
  out: Float32Array,
): void {
  out.fill(0, 0, uniqueCount * dimension);
  let from = 0;
  for (let i = 0; i < index.length; i++) {
    const to = (index[i] as number) * dimension;
    for (let column = 0; column < dimension; column++) {
      out[to + column] = Math.fround((out[to + column] as number) + (gradients[from++] as number));
    }
  }
}
