import type { Statistic } from "./bootstrap.ts";

/** Rows with a score each, by column; shape [rows]. */
export interface ScoredColumns {
  readonly score: Float32Array | Float64Array;
  /** 0 or 1. */
  readonly label: Float32Array;
  /** How many rows each stands for. */
  readonly weight: Float32Array;
  /** Cluster of each row. */
  readonly cluster: Int32Array;
}

/** All rows in ascending order of score: sorted once, used for every slice and replicate. */
export function orderByScore(score: Float32Array | Float64Array): Int32Array {
  const order = Int32Array.from(score, (_, row) => row);
  return order.sort((a, b) => (score[a] as number) - (score[b] as number) || a - b);
}

/**
 * The weighted area under the ROC curve: the chance that a positive scores above a negative, each
 * drawn by weight; a tie counts half.
 *
 * @param order the rows concerned, in ascending order of score.
 * @source Hanley and McNeil, "The meaning and use of the area under a ROC curve", Radiology 1982
 * (as the Mann–Whitney statistic), with weights.
 */
export function aucStatistic(columns: ScoredColumns, order: Int32Array): Statistic {
  const { length } = order;
  const cluster = new Int32Array(length);
  const positive = new Float32Array(length);
  const negative = new Float32Array(length);
  const endsTie = new Uint8Array(length);
  order.forEach((row, i) => {
    cluster[i] = columns.cluster[row] as number;
    const of = columns.label[row] === 1 ? positive : negative;
    of[i] = columns.weight[row] as number;
    const next = order[i + 1];
    endsTie[i] = next === undefined || columns.score[next] !== columns.score[row] ? 1 : 0;
  });
  return {
    of: (copies) => {
      let wins = 0;
      let [positives, below] = [0, 0];
      let [tiedPositive, tiedNegative] = [0, 0];
      for (let i = 0; i < length; i++) {
        const times = copies[cluster[i] as number] as number;
        tiedPositive += times * (positive[i] as number);
        tiedNegative += times * (negative[i] as number);
        if (endsTie[i] === 1) {
          wins += tiedPositive * (below + tiedNegative / 2);
          below += tiedNegative;
          positives += tiedPositive;
          tiedPositive = 0;
          tiedNegative = 0;
        }
      }
      return wins / (positives * below);
    },
  };
}
