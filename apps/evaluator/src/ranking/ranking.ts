import { present } from "@heddle/base";
import type { ExampleBatch } from "@heddle/transform";
import { openRatio, type Statistic } from "@heddle/statistics";
import type { Measurement } from "../scoring/metric-message.ts";
import { mapRivals, type Scores } from "../scoring/scores.ts";
import { allRows, type SliceGroup, type Slicer } from "../scoring/slices.ts";
import { ndcg } from "../statistics/ndcg.ts";

/** A slice of the ranking: the NDCG of each visit that has a positive in it. */
interface RankedSlice {
  /** Positives in it. */
  positives: number;
  /** Those visits, by their number in the part, ascending. */
  readonly visits: number[];
  /** Each rival's NDCG of them, shape [visits]. */
  readonly values: Scores<number[]>;
}

/** What ranking a part of a dataset gives: plain data that threads hand over. */
export interface RankedPart {
  /** Visits of the part, also those without a positive. */
  visits: number;
  /** All rows, then the slices of the groups in their order. */
  readonly slices: readonly RankedSlice[];
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
  readonly part: RankedPart;
}

/**
 * @param at the last rank that counts.
 * @param groups slices within which candidates are ranked, beside all candidates.
 */
export function openRanking(
  at: number,
  withLive: boolean,
  groups: readonly { readonly group: SliceGroup; readonly slicer: Slicer }[],
): Ranking {
  const slicesOf = ({ names }: SliceGroup): RankedSlice[] =>
    names.map(() => ({ positives: 0, visits: [], values: noValues(withLive) }));
  const ranked: readonly RankedGroup[] = [
    { group: allRows, slices: slicesOf(allRows) },
    ...groups.map((of) => ({ ...of, slices: slicesOf(of.group) })),
  ];
  const part: RankedPart = { visits: 0, slices: ranked.flatMap(({ slices }) => slices) };
  return {
    part,
    add: (batch, scores) => {
      const label = new Uint8Array(batch.label);
      const placed = ranked.map(({ slicer }) => slicer?.codes(batch) ?? new Int32Array(batch.rows));
      for (let from = 0; from < batch.rows;) {
        let to = from + 1;
        while (to < batch.rows && batch.visit[to] === batch.visit[from]) to++;
        ranked.forEach(({ group, slices }, g) => {
          const codes = placed[g] as Int32Array;
          partition(group, codes, from, to).forEach((rows, i) => {
            const slice = slices[i];
            if (slice !== undefined) rank(slice, at, part.visits, { scores, label, rows });
          });
        });
        part.visits++;
        from = to;
      }
    },
  };
}

/**
 * The means over all parts' visits, as measurements.
 *
 * @param parts in the order of the dataset, so that sums have one order whoever ranked them.
 * @param groups as `openRanking` had them.
 */
export function rankingMeasurements(
  at: number,
  parts: readonly RankedPart[],
  groups: readonly SliceGroup[],
  sliceVisitsMin: number,
): readonly Measurement[] {
  const slices = [
    { slice: "", minimum: 0 },
    ...groups.flatMap(({ names }) => names.map((slice) => ({ slice, minimum: sliceVisitsMin }))),
  ];
  return slices.map(({ slice, minimum }, s) => {
    const of = parts.map(({ slices }) => present(slices[s], `ranked slice ${slice}`));
    const count = of.reduce((sum, { visits }) => sum + visits.length, 0);
    const positives = of.reduce((sum, one) => sum + one.positives, 0);
    const about = { name: `ndcg@${at}`, slice, count, positives };
    return count < minimum ? about : { ...about, statistics: meansOf(parts, of) };
  });
}

/** Each rival's mean over a slice's visits, which are clusters numbered over all parts. */
function meansOf(parts: readonly RankedPart[], of: readonly RankedSlice[]): Scores<Statistic> {
  const withLive = of.some(({ values }) => values.live !== undefined);
  const means = mapRivals(noValues(withLive), openRatio);
  let before = 0;
  of.forEach(({ visits, values }, p) => {
    visits.forEach((visit, i) => {
      means.candidate.add(before + visit, values.candidate[i] as number, 1);
      means.live?.add(before + visit, values.live?.[i] as number, 1);
      means.fallback.add(before + visit, values.fallback[i] as number, 1);
    });
    before += present(parts[p], `part ${p}`).visits;
  });
  return mapRivals(means, (mean) => mean.statistic());
}

const noValues = (withLive: boolean): Scores<number[]> => ({
  candidate: [],
  ...(withLive ? { live: [] } : {}),
  fallback: [],
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
  slice.visits.push(visit);
  slice.positives += positives;
  const { candidate, live, fallback } = slice.values;
  candidate.push(ndcg(at, scores.candidate, label, rows));
  if (scores.live !== undefined) live?.push(ndcg(at, scores.live, label, rows));
  fallback.push(ndcg(at, scores.fallback, label, rows));
}
