import { create } from "@bufbuild/protobuf";
import { type DataCheck, DataCheckSchema } from "@heddle/proto/evaluator";
import type { ModelDefinition } from "@heddle/sdk";
import type { Interval } from "@heddle/statistics";
import { differenceOf, ratioOf, shareOf } from "../statistics/proportion.ts";
import { factor, percent, percentRange, short } from "../statistics/words.ts";

/** What a dataset's manifest says of its rows. */
export interface DatasetFacts {
  readonly rows: number;
  readonly positives: number;
  readonly slices: readonly {
    readonly slice: string;
    readonly rows: number;
    readonly positives: number;
  }[];
}

/** A share that moved by less, in either direction, is no change worth a refusal, however rare its slice. */
const shareChangeMin = 0.005;

/**
 * Compares what a version was trained on with what the live one was: never counts, as one dataset
 * may span a week and the other a year, but shares. A check holds unless the data show, by their
 * 95 % intervals, both a change beyond the factor the model allows and one of half a percentage
 * point at least. A slice for each value of a category comes and goes with the season: of those only
 * one that vanished is a change.
 */
export function dataChecks(
  now: DatasetFacts,
  reference: DatasetFacts,
  { gate, examples, slices }: Pick<ModelDefinition, "gate" | "examples" | "slices">,
): readonly DataCheck[] {
  const factorMax = gate.sliceShareChangeMax;
  const label =
    examples.kind === "candidates"
      ? [positivesPerVisit(now, reference, examples.negatives.perVisit, factorMax)]
      : [positiveShare(now, reference, factorMax)];
  const stable = new Set(slices.filter(({ by }) => by === undefined).map(({ name }) => name));
  const names = new Set([...reference.slices, ...now.slices].map(({ slice }) => slice));
  const shares = [...names].flatMap((slice) =>
    (["positives", "rows"] as const)
      .filter((what) => stable.has(slice) || count(now, slice, what) === 0)
      .flatMap((what) => sliceShare(slice, what, now, reference, factorMax)),
  );
  return [...label, ...shares];
}

/** The share of the rows, or of their positives, that a slice has. */
function sliceShare(
  slice: string,
  what: "positives" | "rows",
  now: DatasetFacts,
  reference: DatasetFacts,
  factorMax: number,
): DataCheck[] {
  if (now[what] === 0 || reference[what] === 0) return [];
  const share = (facts: DatasetFacts): Interval => shareOf(count(facts, slice, what), facts[what]);
  const [is, was] = [share(now), share(reference)];
  const { low, high } = differenceOf(is, was);
  const matters = low > shareChangeMin || high < -shareChangeMin;
  return [
    check(`share of ${what} in ${slice}`, is, was, factorMax, matters, {
      text: percent,
      range: percentRange,
      subject: `${what} in ${slice}`,
      gone: is.value === 0,
    }),
  ];
}

function count({ slices }: DatasetFacts, slice: string, what: "positives" | "rows"): number {
  return slices.find((of) => of.slice === slice)?.[what] ?? 0;
}

/** For rows that are examples by themselves: how many of them are positive. */
function positiveShare(now: DatasetFacts, reference: DatasetFacts, factorMax: number): DataCheck {
  const [is, was] = [
    shareOf(now.positives, now.rows),
    shareOf(reference.positives, reference.rows),
  ];
  return check("share of positives", is, was, factorMax, true, {
    text: percent,
    range: percentRange,
    subject: "positives among the rows",
    gone: is.value === 0,
  });
}

/**
 * For sampled candidates, where each visit keeps so many negatives: positives per visit are the odds
 * of a positive times that number, and so are the ends of the interval.
 */
function positivesPerVisit(
  now: DatasetFacts,
  reference: DatasetFacts,
  negativesPerVisit: number,
  factorMax: number,
): DataCheck {
  const perVisit = ({ positives, rows }: DatasetFacts): Interval => {
    const odds = (share: number): number => (negativesPerVisit * share) / (1 - share);
    const { value, low, high } = shareOf(positives, rows);
    return { value: odds(value), low: odds(low), high: odds(high) };
  };
  return check("positives per visit", perVisit(now), perVisit(reference), factorMax, true, {
    text: short,
    range: ({ low, high }) => `${short(low)} to ${short(high)}`,
    subject: "positives per visit",
    gone: now.positives === 0,
  });
}

interface Words {
  readonly text: (value: number) => string;
  readonly range: (interval: Interval) => string;
  readonly subject: string;
  /** Nothing of it is left. */
  readonly gone: boolean;
}

function check(
  name: string,
  is: Interval,
  was: Interval,
  factorMax: number,
  matters: boolean,
  { text, range, subject, gone }: Words,
): DataCheck {
  const change = ratioOf(is, was);
  const beyond = change.low > factorMax || change.high < 1 / factorMax;
  const holds = !(beyond && matters);
  const moved = is.value < was.value ? "fell" : "rose";
  const figures = `from ${text(was.value)} to ${text(is.value)} (${range(is)})`;
  const vanished = gone && was.value > 0 ? "vanished" : "";
  const times = change.value < 1 ? change.high ** -1 : change.low;
  const explanation = holds
    ? `${subject}: ${figures}; a change by a factor of ${factor(factorMax)} is allowed`
    : `${subject} ${vanished || moved}: ${figures}, a factor of ${factor(times)} at least where ${factor(factorMax)} is allowed`;
  return create(DataCheckSchema, {
    name,
    reference: was.value,
    value: is.value,
    low: is.low,
    high: is.high,
    holds,
    explanation,
  });
}
