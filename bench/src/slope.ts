import { measured } from "./summarise.ts";

/** How fast something rises, with its 95 % interval. */
export interface Slope {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Samples are pooled to so many medians: those close to each other are alike, and a collection of garbage is no trend. */
export const blocks = 20;
/** 97.5th percentile of Student's t with 18 degrees of freedom. */
const t = 2.101;

/** @param samples [when, value], in order; as many as blocks at least. */
export function slopeOf(samples: readonly (readonly [number, number])[]): Slope {
  const { slope, error } = leastSquares(pooled(samples));
  return { value: slope, low: slope - t * error, high: slope + t * error };
}

function pooled(samples: readonly (readonly [number, number])[]): [number, number][] {
  const size = samples.length / blocks;
  return Array.from({ length: blocks }, (_, block) => {
    const own = samples.slice(Math.floor(block * size), Math.floor((block + 1) * size));
    const middle = (of: 0 | 1): number =>
      measured(
        "",
        "",
        own.map((sample) => sample[of]),
      ).value;
    return [middle(0), middle(1)];
  });
}

/** @source ordinary least squares, with the slope's standard error. */
function leastSquares(points: readonly (readonly [number, number])[]) {
  const mean = (of: (point: readonly [number, number]) => number): number =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [x, y] = [mean(([a]) => a), mean(([, b]) => b)];
  const spread = points.reduce((sum, [a]) => sum + (a - x) ** 2, 0);
  const slope = points.reduce((sum, [a, b]) => sum + (a - x) * (b - y), 0) / spread;
  const rest = points.reduce((sum, [a, b]) => sum + (b - y - slope * (a - x)) ** 2, 0);
  return { slope, error: Math.sqrt(rest / (points.length - 2) / spread) };
}
