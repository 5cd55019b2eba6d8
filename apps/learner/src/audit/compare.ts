import {
  aucStatistic,
  difference,
  type Interval,
  intervalOf,
  logLoss,
  openRatio,
  orderByScore,
  resample,
  type Statistic,
} from "@heddle/statistics";
import type { HeldOut } from "./held-out.ts";

/** Held-out quality of a training, and what it costs against the baseline's. */
export interface Quality {
  readonly logLoss: Interval | undefined;
  readonly auc: Interval | undefined;
  /** Paired with the baseline, above 0 where it is worse; undefined where an interval is. */
  readonly logLossRise: Interval | undefined;
  readonly aucDrop: Interval | undefined;
}

/** What the intervals say of a training against the baseline. */
export type QualityVerdict = "as-good" | "worse" | "unclear";

export interface Comparison {
  readonly replicates: number;
  readonly seed: number;
}

/** @param settings held-out scores of the same rows; the first is the baseline. Each row is a cluster of its own. */
export async function compare(
  settings: readonly HeldOut[],
  { replicates, seed }: Comparison,
  signal: AbortSignal,
): Promise<readonly Quality[]> {
  const clusters = settings[0]?.label.length ?? 0;
  const statistics = settings.flatMap((scored) => [lossOf(scored), aucOf(scored)]);
  const resampled = await resample(statistics, { clusters, replicates, seed }, signal);
  const [baseLoss, baseAuc] = resampled;
  return settings.map((_, n) => {
    const [loss, auc] = resampled.slice(2 * n, 2 * n + 2);
    if (!loss || !auc || !baseLoss || !baseAuc) throw new RangeError(`no setting ${n}`);
    return {
      logLoss: intervalOf(loss),
      auc: intervalOf(auc),
      logLossRise: intervalOf(difference(loss, baseLoss)),
      aucDrop: intervalOf(difference(baseAuc, auc)),
    };
  });
}

/** Worse when either interval lies above the tolerance, as good when both lie below. */
export function verdictOf({ logLossRise, aucDrop }: Quality, tolerance: number): QualityVerdict {
  const costs = [logLossRise, aucDrop];
  if (costs.some((cost) => cost !== undefined && cost.low > tolerance)) return "worse";
  return costs.every((cost) => cost !== undefined && cost.high <= tolerance)
    ? "as-good"
    : "unclear";
}

/** Of the rows as they were sampled: what training minimises. */
function lossOf({ score, label }: HeldOut): Statistic {
  const ratio = openRatio();
  score.forEach((prediction, row) => {
    const y = label[row] as number;
    ratio.add(row, logLoss.numerator(prediction, y, 1), logLoss.denominator(prediction, y, 1));
  });
  return ratio.statistic();
}

function aucOf({ score, label, weight }: HeldOut): Statistic {
  const cluster = Int32Array.from(score, (_, row) => row);
  return aucStatistic({ score, label, weight, cluster }, orderByScore(score));
}
