/** What one row adds to a metric that is a ratio of sums. */
export interface RowMetric {
  readonly name: string;
  numerator(prediction: number, label: number, weight: number): number;
  denominator(prediction: number, label: number, weight: number): number;
}

/** A probability of 0 or 1 costs this much at most, as float32 cannot say 1 − 10⁻⁹. */
const probabilityMin = 1e-12;
const probabilityMax = 1 - 2 ** -24;

/** Mean log loss of prior-corrected probabilities; a negative counts for the rows it stands for. */
export const logLoss: RowMetric = {
  name: "log-loss",
  numerator: (prediction, label, weight) => {
    const p = Math.min(probabilityMax, Math.max(probabilityMin, prediction));
    return -weight * (label === 1 ? Math.log(p) : Math.log1p(-p));
  },
  denominator: (_prediction, _label, weight) => weight,
};

/** Predicted positives per positive: 1 when the probabilities hold on the whole. */
export const calibration: RowMetric = {
  name: "calibration",
  numerator: (prediction, _label, weight) => weight * prediction,
  denominator: (_prediction, label, weight) => weight * label,
};
