/** Rows whose visits each kept a share of their negatives of their own; arrays have shape [rows]. */
interface SampledRows {
  readonly weight: Float32Array;
  readonly cluster: Int32Array;
  readonly clusters: number;
}

/**
 * Corrects probabilities for the share of negatives that each visit itself kept. A version's own
 * correction knows only the share over all it learned from; where visits have different numbers of
 * candidates and keep as many negatives each, a visit's true share is one by its negatives' weight.
 *
 * @param probabilities corrected by `rate`, shape [rows]; not changed.
 * @param rate the version's share of negatives kept, above 0.
 * @returns odds × (visit's share) ÷ rate, as probabilities, shape [rows].
 * @source King, Zeng, "Logistic Regression in Rare Events Data", Political Analysis 2001, §4.1.
 */
export function correctForVisits(
  probabilities: ArrayLike<number>,
  { weight, cluster, clusters }: SampledRows,
  rate: number,
): Float32Array {
  const negativeWeight = new Float32Array(clusters).fill(1);
  cluster.forEach((visit, row) => {
    negativeWeight[visit] = Math.max(negativeWeight[visit] as number, weight[row] as number);
  });
  return Float32Array.from(probabilities, (p, row) => {
    const odds = p / (1 - p) / (negativeWeight[cluster[row] as number] as number) / rate;
    return odds === Infinity ? 1 : odds / (1 + odds);
  });
}
