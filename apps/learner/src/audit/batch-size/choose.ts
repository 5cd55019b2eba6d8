import type { QualityVerdict } from "../compare.ts";

/** What several rounds gave: their median, and the lowest and highest. */
export interface Spread {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** What is known of a size when one is chosen. */
export interface Candidate {
  readonly batchSize: number;
  /** Its quality against the definition's own size. */
  readonly verdict: "baseline" | "diverged" | QualityVerdict;
  /** Examples per second, or per CPU-second; absent when it diverged. */
  readonly throughput?: Spread;
}

/**
 * The smallest size that costs no quality and whose throughput is within a share of the best of these: above it memory and the
 * examples between two updates grow for nothing.
 *
 * @param within from 0 to less than 1.
 */
export function chooseSize(candidates: readonly Candidate[], within: number): number {
  const good = candidates.filter(({ verdict }) => verdict === "baseline" || verdict === "as-good");
  const fast = (of: Candidate): number => of.throughput?.value ?? 0;
  const best = Math.max(...good.map(fast));
  const near = good.filter((of) => fast(of) >= best * (1 - within));
  return Math.min(...near.map(({ batchSize }) => batchSize));
}

/** @param values at least one. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (place: number): number => sorted[place] ?? NaN;
  const middle = (sorted.length - 1) / 2;
  return {
    value: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    low: at(0),
    high: at(sorted.length - 1),
  };
}
