/**
 * The normalised discounted cumulative gain of one visit's candidates at rank `at`, with gain 1 for
 * a positive and discount 1 / log2(rank + 1). Rows of equal score share their ranks: the value is
 * the mean over all orders among them, so a coarse score gains nothing from the order of rows.
 *
 * Costs one pass: only the `at` best scores are kept in order.
 *
 * @param rows the candidates, as positions in `score` and `label`.
 * @returns 0 to 1; NaN when no candidate is positive.
 * @source Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques", TOIS 2002;
 * ties: McSherry and Najork, "Computing Information Retrieval Performance Measures Efficiently in
 * the Presence of Tied Scores", ECIR 2008.
 */
export function ndcg(
  at: number,
  score: Float32Array | Float64Array,
  label: Uint8Array,
  rows: Int32Array,
): number {
  let positives = 0;
  for (let i = 0; i < rows.length; i++) positives += label[rows[i] as number] as number;
  if (positives === 0) return NaN;
  const best = bestScores(at, score, rows);
  const levels = new Map<number, { rows: number; positives: number }>();
  const worst = best[best.length - 1] as number;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number;
    const value = score[row] as number;
    if (value >= worst) {
      const level = levels.get(value) ?? { rows: 0, positives: 0 };
      level.rows++;
      level.positives += label[row] as number;
      levels.set(value, level);
    }
  }
  let [gain, rank] = [0, 0];
  for (const value of new Set(best)) {
    const level = levels.get(value) ?? { rows: 0, positives: 0 };
    const end = Math.min(at, rank + level.rows);
    gain += ((discounts(end) - discounts(rank)) * level.positives) / level.rows;
    rank = end;
  }
  return gain / discounts(Math.min(at, positives));
}

/** The `at` highest scores, descending, repeated as often as they occur. */
function bestScores(at: number, score: Float32Array | Float64Array, rows: Int32Array): number[] {
  const best: number[] = [];
  let worst = -Infinity;
  for (let i = 0; i < rows.length; i++) {
    const value = score[rows[i] as number] as number;
    if (best.length === at && value <= worst) continue;
    if (best.length === at) best.pop();
    let place = best.length;
    while (place > 0 && (best[place - 1] as number) < value) place--;
    best.splice(place, 0, value);
    worst = best[best.length - 1] as number;
  }
  return best;
}

const discountSums: number[] = [0];

/** Sum of the discounts of the first ranks. */
function discounts(ranks: number): number {
  for (let rank = discountSums.length; rank <= ranks; rank++) {
    discountSums.push((discountSums[rank - 1] as number) + 1 / Math.log2(rank + 1));
  }
  return discountSums[ranks] as number;
}
