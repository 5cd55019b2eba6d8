import { mix32 } from "@heddle/base";

const secondSeed = 0x5bd1e995;

/**
 * Writes the initial values of a row: normal draws that depend on (seed, id, column) alone, so that every
 * shard, replay and reader sees the same row, whoever asks first.
 *
 * @param low the lower and `high` the upper 32 bits of the id.
 * @source Box and Muller, "A Note on the Generation of Random Normal Deviates", 1958; each pair of columns takes one
 * pair of uniform numbers from two counter-based streams.
 */
export function drawRow(
  spec: { readonly seed: number; readonly dimension: number; readonly initialDeviation: number },
  low: number,
  high: number,
  out: Float32Array,
  at: number,
): void {
  const { seed, dimension, initialDeviation } = spec;
  if (initialDeviation === 0) {
    out.fill(0, at, at + dimension);
    return;
  }
  const first = mix32(mix32(seed, low), high);
  const second = mix32(mix32(seed ^ secondSeed, high), low);
  for (let column = 0; column < dimension; column += 2) {
    const uniform = (mix32(first, column) + 0.5) / 2 ** 32;
    const radius = initialDeviation * Math.sqrt(-2 * Math.log(uniform));
    const angle = ((2 * Math.PI) / 2 ** 32) * mix32(second, column);
    out[at + column] = radius * Math.cos(angle);
    if (column + 1 < dimension) out[at + column + 1] = radius * Math.sin(angle);
  }
}
