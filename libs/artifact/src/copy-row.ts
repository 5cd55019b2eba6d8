/** Copies one row of a matrix to a row of another one of the same width. */
export function copyRow(
  from: Float32Array,
  fromRow: number,
  to: Float32Array,
  toRow: number,
  width: number,
): void {
  for (let i = 0; i < width; i++) to[toRow * width + i] = from[fromRow * width + i] as number;
}
