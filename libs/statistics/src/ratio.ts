import type { Statistic } from "./bootstrap.ts";

/**
 * A ratio of two sums over rows, as any weighted mean is one: sums are kept per cluster, so a
 * replicate costs one pass over clusters.
 */
export interface RatioSums {
  /** Adds a row's part to the sums of its cluster. */
  add(cluster: number, numerator: number, denominator: number): void;
  /** The ratio of what was added. */
  statistic(): Statistic;
}

/** Opens empty sums; float64. */
export function openRatio(): RatioSums {
  const places = new Map<number, number>();
  const clusters: number[] = [];
  const numerators: number[] = [];
  const denominators: number[] = [];
  return {
    add: (cluster, numerator, denominator) => {
      let place = places.get(cluster);
      if (place === undefined) {
        place = clusters.push(cluster) - 1;
        places.set(cluster, place);
        numerators.push(0);
        denominators.push(0);
      }
      numerators[place] = (numerators[place] as number) + numerator;
      denominators[place] = (denominators[place] as number) + denominator;
    },
    statistic: () => {
      const [cluster, above, below] = [
        Int32Array.from(clusters),
        Float64Array.from(numerators),
        Float64Array.from(denominators),
      ];
      return {
        of: (copies) => {
          let [numerator, denominator] = [0, 0];
          for (let i = 0; i < cluster.length; i++) {
            const times = copies[cluster[i] as number] as number;
            numerator += times * (above[i] as number);
            denominator += times * (below[i] as number);
          }
          return numerator / denominator;
        },
      };
    },
  };
}
