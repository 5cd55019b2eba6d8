import type { Resampled } from "./bootstrap.ts";

/** An estimate with its 95 % interval. */
export interface Interval {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Replicates in which a statistic may be undefined; with more of them its interval says nothing. */
const undefinedShareMax = 0.05;

/**
 * The 95 % percentile interval; undefined when the statistic is, or is in too many replicates.
 *
 * @source Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, §13.3.
 */
export function intervalOf({ value, replicates }: Resampled): Interval | undefined {
  const known = replicates.filter(Number.isFinite).sort();
  const undefinedShare = 1 - known.length / replicates.length;
  if (!Number.isFinite(value) || !(undefinedShare <= undefinedShareMax)) return undefined;
  return { value, low: quantile(known, 0.025), high: quantile(known, 0.975) };
}

/** The paired difference of two statistics of the same resampling. */
export function difference(one: Resampled, other: Resampled): Resampled {
  return {
    value: one.value - other.value,
    replicates: one.replicates.map((value, i) => value - (other.replicates[i] as number)),
  };
}

/** Of ascending values, linear between neighbours. */
function quantile(ascending: Float64Array, share: number): number {
  const place = share * (ascending.length - 1);
  const below = ascending[Math.floor(place)] as number;
  const above = ascending[Math.ceil(place)] as number;
  return below + (above - below) * (place - Math.floor(place));
}
