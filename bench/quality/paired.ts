import { seededRandom } from "@heddle/base";

/** Rows that several scores are compared on. */
export interface ScoredRows {
  /** 0 or 1, shape [rows]. */
  readonly label: Float32Array;
  /** How many rows each stands for, shape [rows]. */
  readonly weight: Float32Array;
  /** Visit of each row, from 0, shape [rows]: what is resampled. */
  readonly cluster: Int32Array;
}

export interface Interval {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** A statistic of some scores, and of each in every resample; the resamples are the same for all. */
export interface Resampled {
  readonly whole: Readonly<Record<string, number>>;
  readonly replicates: Readonly<Record<string, Float64Array>>;
}

/**
 * Resamples visits with replacement, for all scores at once, so that differences are paired.
 *
 * This is written anew and not taken from the evaluator: what is judged must not be the judge's code.
 *
 * @source cluster bootstrap: Field, Welsh, "Bootstrapping clustered data", JRSS B 2007.
 */
export function resample(
  rows: ScoredRows,
  scores: Readonly<Record<string, ArrayLike<number>>>,
  resamples: number,
  statisticOf: typeof aucOf = aucOf,
): Resampled {
  const clusters = rows.cluster.reduce((most, cluster) => Math.max(most, cluster), -1) + 1;
  const names = Object.keys(scores);
  const statistics = Object.entries(scores).map(([, score]) => statisticOf(rows, score));
  const once = new Int32Array(clusters).fill(1);
  const replicates = names.map(() => new Float64Array(resamples));
  const random = seededRandom(1);
  const copies = new Int32Array(clusters);
  for (let b = 0; b < resamples; b++) {
    copies.fill(0);
    for (let i = 0; i < clusters; i++) {
      const drawn = random.below(clusters);
      copies[drawn] = (copies[drawn] ?? 0) + 1;
    }
    statistics.forEach((auc, s) => replicates[s]?.fill(auc(copies), b, b + 1));
  }
  return {
    whole: Object.fromEntries(names.map((name, s) => [name, statistics[s]?.(once) ?? Number.NaN])),
    replicates: Object.fromEntries(
      names.map((name, s) => [name, replicates[s] ?? new Float64Array()]),
    ),
  };
}

/** One score's statistic with its 95 % interval. */
export function intervalOf({ whole, replicates }: Resampled, name: string): Interval {
  return percentiles(whole[name] ?? Number.NaN, replicates[name] ?? new Float64Array());
}

/** How far the first score's statistic lies above the second's, with the paired 95 % interval. */
export function differenceOf({ whole, replicates }: Resampled, a: string, b: string): Interval {
  const others = replicates[b] ?? new Float64Array();
  const differences = replicates[a]?.map((value, i) => value - (others[i] ?? Number.NaN));
  return percentiles(
    (whole[a] ?? Number.NaN) - (whole[b] ?? Number.NaN),
    differences ?? new Float64Array(),
  );
}

function percentiles(value: number, replicates: Float64Array): Interval {
  const sorted = Float64Array.from(replicates).sort();
  const at = (q: number): number => sorted[Math.round(q * (sorted.length - 1))] ?? Number.NaN;
  return { value, low: at(0.025), high: at(0.975) };
}

/**
 * Prepares a score's AUC: sorted once, then computed for any number of copies of each visit. A tie
 * counts half.
 */
function aucOf(rows: ScoredRows, score: ArrayLike<number>): (copies: Int32Array) => number {
  const order = Int32Array.from(rows.label, (_, row) => row).sort(
    (a, b) => (score[a] as number) - (score[b] as number),
  );
  const sorted = {
    label: Float32Array.from(order, (row) => rows.label[row] as number),
    weight: Float32Array.from(order, (row) => rows.weight[row] as number),
    cluster: Int32Array.from(order, (row) => rows.cluster[row] as number),
    lastOfTie: Uint8Array.from(order, (row, i) =>
      Number(i + 1 === order.length || score[order[i + 1] as number] !== score[row]),
    ),
  };
  return (copies) => aucSorted(sorted, copies);
}

/** Prepares a score's mean log loss, each row weighing what it stands for. */
export function logLossOf(
  { label, weight, cluster }: ScoredRows,
  score: ArrayLike<number>,
): (copies: Int32Array) => number {
  const losses = Float64Array.from(label, (y, i) => {
    const p = Math.min(Math.max(score[i] as number, 1e-7), 1 - 1e-7);
    return -Math.log(y === 1 ? p : 1 - p);
  });
  return (copies) => {
    let [sum, rows] = [0, 0];
    for (let i = 0; i < losses.length; i++) {
      const counted = (copies[cluster[i] as number] as number) * (weight[i] as number);
      sum += counted * (losses[i] as number);
      rows += counted;
    }
    return sum / rows;
  };
}

interface Sorted extends ScoredRows {
  /** 1 where the next row's score differs. */
  readonly lastOfTie: Uint8Array;
}

function aucSorted({ label, weight, cluster, lastOfTie }: Sorted, copies: Int32Array): number {
  const [tied, below] = [
    [0, 0],
    [0, 0],
  ] as [[number, number], [number, number]];
  let wins = 0;
  for (let i = 0; i < label.length; i++) {
    const rows = (copies[cluster[i] as number] as number) * (weight[i] as number);
    tied[label[i] === 1 ? 1 : 0] += rows;
    if (lastOfTie[i] === 0) continue;
    wins += tied[1] * (below[0] + tied[0] / 2);
    below[0] += tied[0];
    below[1] += tied[1];
    tied[0] = tied[1] = 0;
  }
  return wins / (below[0] * below[1]);
}
