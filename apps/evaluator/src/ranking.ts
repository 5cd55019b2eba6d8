import type { ExampleBatch } from "@heddle/transform";
import type { Measurement } from "./metric-message.ts";
import { mapRivals, type Scores } from "./scores.ts";
import { allRows, type SliceGroup, type Slicer } from "./slices.ts";
import { ndcg } from "./statistics/ndcg.ts";
import { openRatio, type RatioSums } from "./statistics/ratio.ts";

/** A slice of the ranking: the mean NDCG over visits that have a positive in it. */
interface RankedSlice {
  readonly name: string;
  readonly minimum: number;
  visits: number;
  positives: number;
  readonly means: Scores<RatioSums>;
}

/** A group of slices with the slicer that places rows; the group of all rows needs none. */
interface RankedGroup {
  readonly group: SliceGroup;
  readonly slicer?: Slicer;
  readonly slices: readonly RankedSlice[];
}

/** Ranks whole visits as they stream by; only one number a visit, slice and rival is kept. */
export interface Ranking {
  /** @param batch no visit is split between batches. */
  add(batch: ExampleBatch, scores: Scores): void;
  readonly visits: number;
  measurements(): readonly Measurement[];
}

/**
 * @param at the last rank that counts.
 * @param groups slices within which candidates are ranked, beside all candidates.
 */
export function openRanking(
  at: number,
  withLive: boolean,
  groups: readonly { readonly group: SliceGroup; readonly slicer: Slicer }[],
  sliceVisitsMin: number,
): Ranking {
  const slicesOf = ({ names }: SliceGroup, minimum: number): RankedSlice[] =>
    names.map((name) => ({ name, minimum, visits: 0, positives: 0, means: ratios(withLive) }));
  const ranked: readonly RankedGroup[] = [
    { group: allRows, slices: slicesOf(allRows, 0) },
    ...groups.map((of) => ({ ...of, slices: slicesOf(of.group, sliceVisitsMin) })),
  ];
  let visits = 0;
  return {
    get visits() {
      return visits;
    },
    add: (batch, scores) => {
      const label = Uint8Array.from(batch.label);
      const placed = ranked.map(({ slicer }) => slicer?.codes(batch) ?? new Int32Array(batch.rows));
      for (let from = 0; from < batch.rows;) {
        let to = from + 1;
        while (to < batch.rows && batch.visit[to] === batch.visit[from]) to++;
        ranked.forEach(({ group, slices }, g) => {
          const codes = placed[g] as Int32Array;
          partition(group, codes, from, to).forEach((rows, i) => {
            const slice = slices[i];
            if (slice !== undefined) rank(slice, at, visits, { scores, label, rows });
          });
        });
        visits++;
        from = to;
      }
    },
    measurements: () =>
      ranked.flatMap(({ slices }) =>
        slices.map(({ name: slice, minimum, visits: count, positives, means }) => ({
          name: `ndcg@${at}`,
          slice,
          count,
          positives,
          ...(count < minimum ? {} : { statistics: mapRivals(means, (mean) => mean.statistic()) }),
        })),
      ),
  };
}

const ratios = (withLive: boolean): Scores<RatioSums> => ({
  candidate: openRatio(),
  ...(withLive ? { live: openRatio() } : {}),
  fallback: openRatio(),
});

/** The rows of a visit, slice by slice. */
function partition(group: SliceGroup, codes: Int32Array, from: number, to: number): Int32Array[] {
  const { names, places } = group;
  const counts = new Int32Array(names.length);
  for (let row = from; row < to; row++) {
    const place = places[codes[row] as number] ?? -1;
    if (place >= 0) counts[place] = (counts[place] as number) + 1;
  }
  const parts = Array.from(counts, (count) => new Int32Array(count));
  counts.fill(0);
  for (let row = from; row < to; row++) {
    const place = places[codes[row] as number] ?? -1;
    const part = parts[place];
    if (part === undefined) continue;
    const next = counts[place] as number;
    part[next] = row;
    counts[place] = next + 1;
  }
  return parts;
}

/** Adds a visit to a slice, unless none of its candidates there is positive. */
function rank(
  slice: RankedSlice,
  at: number,
  visit: number,
  of: { readonly scores: Scores; readonly label: Uint8Array; readonly rows: Int32Array },
): void {
  const { scores, label, rows } = of;
  let positives = 0;
  for (let i = 0; i < rows.length; i++) positives += label[rows[i] as number] as number;
  if (positives === 0) return;
  slice.visits++;
  slice.positives += positives;
  const { candidate, live, fallback } = slice.means;
  candidate.add(visit, ndcg(at, scores.candidate, label, rows), 1);
  if (scores.live !== undefined) live?.add(visit, ndcg(at, scores.live, label, rows), 1);
  fallback.add(visit, ndcg(at, scores.fallback, label, rows), 1);
}
