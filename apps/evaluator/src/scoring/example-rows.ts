import { HeddleError } from "@heddle/base";
import type { ExampleBatch } from "@heddle/transform";
import { aucStatistic, openRatio, orderByScore, type RowMetric } from "@heddle/statistics";
import type { Measurement } from "./metric-message.ts";
import { mapRivals, type Scores } from "./scores.ts";
import { allRows, type SliceGroup, type Slicer } from "./slices.ts";

/** The evaluation dataset's rows, scored; arrays have shape [rows]. */
export interface ScoredRows {
  readonly label: Float32Array;
  readonly weight: Float32Array;
  /** The visit, numbered over all partitions; a row of its own where examples have no visits. */
  readonly cluster: Int32Array;
  readonly clusters: number;
  readonly scores: Scores;
  /** Codes of each slicer. */
  readonly codes: readonly Int32Array[];
}

/** Gathers scored batches; a new partition starts new visits. */
export function gatherRows(rows: number, slicers: readonly Slicer[], withLive: boolean) {
  const [label, weight, cluster] = [
    new Float32Array(rows),
    new Float32Array(rows),
    new Int32Array(rows),
  ];
  const scores: Scores = {
    candidate: new Float32Array(rows),
    ...(withLive ? { live: new Float32Array(rows) } : {}),
    fallback: new Float64Array(rows),
  };
  const codes = slicers.map(() => new Int32Array(rows));
  let at = 0;
  let clusters = 0;
  let visits = new Map<number, number>();
  return {
    startPartition: (): void => {
      visits = new Map();
    },
    add: (batch: ExampleBatch, found: Scores): void => {
      if (at + batch.rows > rows) throw differs(at + batch.rows, rows);
      label.set(batch.label, at);
      weight.set(batch.weight, at);
      scores.candidate.set(found.candidate, at);
      if (found.live !== undefined) scores.live?.set(found.live, at);
      scores.fallback.set(found.fallback, at);
      slicers.forEach((slicer, i) => codes[i]?.set(slicer.codes(batch), at));
      batch.visit.forEach((visit, i) => {
        const known = visits.get(visit) ?? clusters++;
        visits.set(visit, known);
        cluster[at + i] = known;
      });
      at += batch.rows;
    },
    rows: (): ScoredRows => {
      if (at !== rows) throw differs(at, rows);
      return { label, weight, cluster, clusters, scores, codes };
    },
  };
}

/**
 * The metrics of rows, for each slice of one group: `auc` of every rival, and the row metrics of the
 * versions alone, as a heuristic's score is no probability.
 *
 * @param codes slice codes of the rows; absent for all rows.
 */
export function exampleMeasurements(
  rows: ScoredRows,
  orders: Scores<Int32Array>,
  metrics: readonly RowMetric[],
  slices: { readonly group: SliceGroup; readonly codes: Int32Array },
  positivesMin: number,
): readonly Measurement[] {
  const { scores, label, weight, cluster } = rows;
  const place = (row: number): number => slices.group.places[slices.codes[row] as number] ?? -1;
  const counts = slices.group.names.map(() => ({ count: 0, positives: 0 }));
  label.forEach((positive, row) => {
    const of = counts[place(row)];
    if (of === undefined) return;
    of.count++;
    of.positives += positive;
  });
  const split = mapRivals(orders, (order) => splitOrder(order, place, counts));
  const one = (score: Scores["candidate"], order: Int32Array) =>
    aucStatistic({ score, label, weight, cluster }, order);
  return slices.group.names.flatMap((slice, i) => {
    const { count, positives } = counts[i] ?? { count: 0, positives: 0 };
    const about = { slice, count, positives };
    if (positives < positivesMin) {
      return ["auc", ...metrics.map(({ name }) => name)].map((name) => ({ name, ...about }));
    }
    const auc = {
      candidate: one(scores.candidate, split.candidate[i] as Int32Array),
      ...(scores.live === undefined || split.live === undefined
        ? {}
        : { live: one(scores.live, split.live[i] as Int32Array) }),
      fallback: one(scores.fallback, split.fallback[i] as Int32Array),
    };
    const members = split.candidate[i] as Int32Array;
    const ratio = (metric: RowMetric, predictions: Scores["candidate"]) =>
      ratioOver(rows, metric, predictions, members);
    const ratios = metrics.map((metric) => ({
      name: metric.name,
      ...about,
      statistics: {
        candidate: ratio(metric, scores.candidate),
        ...(scores.live === undefined ? {} : { live: ratio(metric, scores.live) }),
      },
    }));
    return [{ name: "auc", ...about, statistics: auc }, ...ratios];
  });
}

/** Orders of all rows by each rival's score, made once for all slices. */
export const ordersOf = (scores: Scores): Scores<Int32Array> => mapRivals(scores, orderByScore);

/** Codes that put every row into the group of all rows. */
export const everyRow = (rows: ScoredRows) => ({
  group: allRows,
  codes: new Int32Array(rows.label.length),
});

/** The order's rows, slice by slice. */
function splitOrder(
  order: Int32Array,
  place: (row: number) => number,
  counts: readonly { readonly count: number }[],
): Int32Array[] {
  const split = counts.map(({ count }) => new Int32Array(count));
  const filled = new Int32Array(counts.length);
  for (const row of order) {
    const slice = place(row);
    const of = split[slice];
    if (of === undefined) continue;
    const next = filled[slice] as number;
    of[next] = row;
    filled[slice] = next + 1;
  }
  return split;
}

function ratioOver(
  { label, weight, cluster }: ScoredRows,
  metric: RowMetric,
  predictions: Scores["candidate"],
  members: Int32Array,
) {
  const ratio = openRatio();
  for (const row of members) {
    const given = [
      predictions[row] as number,
      label[row] as number,
      weight[row] as number,
    ] as const;
    ratio.add(cluster[row] as number, metric.numerator(...given), metric.denominator(...given));
  }
  return ratio.statistic();
}

function differs(found: number, expected: number): HeddleError {
  return new HeddleError(
    "DATA_LOSS",
    "DATASET_DIFFERS",
    `the evaluation dataset has ${found} rows or more, its manifest says ${expected}: build it again`,
  );
}
