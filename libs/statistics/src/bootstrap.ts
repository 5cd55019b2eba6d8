import { setImmediate } from "node:timers/promises";
import { hash32, mix32 } from "@heddle/base";

/** A statistic of rows that lie in clusters, prepared so that a replicate is one pass without a sort. */
export interface Statistic {
  /**
   * @param copies how often each cluster counts, shape [clusters].
   * @returns its value; NaN where it is undefined, as the AUC of rows of one label.
   */
  of(copies: Uint8Array): number;
}

/** A statistic's value, and its values over the replicates. */
export interface Resampled {
  readonly value: number;
  /** shape [replicates]; equal positions of two statistics are of the same draw. */
  readonly replicates: Float64Array;
}

export interface Resampling {
  readonly clusters: number;
  readonly replicates: number;
  readonly seed: number;
}

/**
 * The cluster bootstrap: in each replicate a cluster counts a Poisson(1) number of times, all its
 * rows alike and for all statistics alike, so differences of statistics are paired. The draws are
 * a function of (seed, replicate, cluster). Gives way to other work after each replicate.
 *
 * @source Field and Welsh, "Bootstrapping clustered data", JRSS B 2007; Chamandy et al., "Estimating
 * Uncertainty for Massive Data Streams", Google 2012 (Poisson instead of multinomial counts).
 */
export async function resample(
  statistics: readonly Statistic[],
  { clusters, replicates, seed }: Resampling,
  signal: AbortSignal,
): Promise<readonly Resampled[]> {
  const copies = new Uint8Array(clusters).fill(1);
  const results = statistics.map((statistic) => ({
    value: statistic.of(copies),
    replicates: new Float64Array(replicates),
  }));
  for (let replicate = 0; replicate < replicates; replicate++) {
    drawCopies(copies, hash32(`${replicate}`, seed));
    statistics.forEach((statistic, i) => {
      const result = results[i];
      if (result !== undefined) result.replicates[replicate] = statistic.of(copies);
    });
    await setImmediate();
    signal.throwIfAborted();
  }
  return results;
}

/** Where the 32 random bits pass from one count to the next: the distribution function of Poisson(1). */
const poissonBounds = ((): Float64Array => {
  let probability = Math.exp(-1);
  let sum = 0;
  return Float64Array.from({ length: 12 }, (_, count) => {
    if (count > 0) probability /= count;
    sum += probability;
    return sum * 2 ** 32;
  });
})();

function drawCopies(copies: Uint8Array, seed: number): void {
  for (let cluster = 0; cluster < copies.length; cluster++) {
    const bits = mix32(seed, cluster);
    let count = 0;
    while (count < poissonBounds.length && bits >= (poissonBounds[count] as number)) count++;
    copies[cluster] = count;
  }
}
