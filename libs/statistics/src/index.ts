export { aucStatistic, orderByScore, type ScoredColumns } from "./auc.ts";
export { resample, type Resampled, type Resampling, type Statistic } from "./bootstrap.ts";
export { difference, type Interval, intervalOf } from "./interval.ts";
export { openRatio, type RatioSums } from "./ratio.ts";
export { calibration, logLoss, type RowMetric } from "./row-metrics.ts";
