/** A straight line's slope, with its 95 % interval. */
export interface Slope {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Student's t at 97.5 % for the degrees of freedom that blocks leave. */
const t975 = 2.23;
const blocks = 12;

/**
 * How fast something rises, units a second. Samples close to each other are alike, so that means of blocks are fitted, not samples.
 *
 * @param samples [seconds, value], in order; 12 at least.
 */
export function slopeOf(samples: readonly (readonly [number, number])[]): Slope {
  const size = samples.length / blocks;
  const points = Array.from({ length: blocks }, (_, n) => {
    const block = samples.slice(Math.floor(n * size), Math.floor((n + 1) * size));
    return [meanOf(block.map(([at]) => at)), meanOf(block.map(([, value]) => value))] as const;
  });
  const [at, value] = [meanOf(points.map(([x]) => x)), meanOf(points.map(([, y]) => y))];
  const spread = points.reduce((sum, [x]) => sum + (x - at) ** 2, 0);
  const slope = points.reduce((sum, [x, y]) => sum + (x - at) * (y - value), 0) / spread;
  const left = points.reduce((sum, [x, y]) => sum + (y - value - slope * (x - at)) ** 2, 0);
  const error = Math.sqrt(left / (blocks - 2) / spread);
  return { value: slope, low: slope - t975 * error, high: slope + t975 * error };
}

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
