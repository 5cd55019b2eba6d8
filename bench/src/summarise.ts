import { seededRandom } from "@heddle/base";
import type { Goal, Row, Verdict } from "./row.ts";

const resamples = 2_000;
/** With fewer rounds an interval by resampling says nothing. */
const roundsMin = 3;

/** A measure over rounds: its median with the 95 % bootstrap interval. */
export function measured(measure: string, unit: string, values: readonly number[]): Row {
  const [low, high] = intervalOf(values, (sample) => median(sample.map((i) => values[i] ?? 0)));
  return { measure, unit, value: median(values), low, high, runs: values.length };
}

/**
 * A measure beside its peer's, measured in the same rounds. The goal holds when the whole 95 %
 * interval of the ratio reaches it, fails when none of it does.
 *
 * @source percentile bootstrap: Efron, Tibshirani, "An Introduction to the Bootstrap", 1993, §13.
 */
export function compared(
  measure: string,
  unit: string,
  values: readonly number[],
  peer: { readonly name: string; readonly values: readonly number[] },
  goal?: Goal,
): Row {
  const row = measured(measure, unit, values);
  const ratioOf = (sample: readonly number[]): number =>
    median(sample.map((i) => values[i] ?? 0)) / median(sample.map((i) => peer.values[i] ?? 0));
  const all = values.map((_, i) => i);
  const [low, high] = intervalOf(values, ratioOf);
  return {
    ...row,
    peer: peer.name,
    peerValue: median(peer.values),
    ratio: ratioOf(all),
    ratioLow: low,
    ratioHigh: high,
    ...(goal === undefined
      ? {}
      : { goal: words(goal, "ratio"), verdict: judge(goal, low, high, values.length) }),
  };
}

export function skipped(measure: string, why: string): Row {
  return {
    measure,
    unit: "",
    value: Number.NaN,
    low: Number.NaN,
    high: Number.NaN,
    runs: 0,
    skipped: why,
  };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** 2.5th and 97.5th percentile of a statistic over resampled rounds. */
function intervalOf(
  values: readonly unknown[],
  statistic: (sample: readonly number[]) => number,
): [number, number] {
  const random = seededRandom(1);
  const drawn = Array.from({ length: resamples }, () =>
    statistic(values.map(() => random.below(values.length))),
  ).sort((a, b) => a - b);
  const at = (q: number): number => drawn[Math.floor(q * (resamples - 1))] ?? Number.NaN;
  return [at(0.025), at(0.975)];
}

/** What a whole interval says of a goal. */
export function judge(goal: Goal, low: number, high: number, rounds: number): Verdict {
  if (rounds < roundsMin) return "not enough runs";
  const { atLeast = Number.NEGATIVE_INFINITY, atMost = Number.POSITIVE_INFINITY } = goal;
  if (low >= atLeast && high <= atMost) return "holds";
  return high < atLeast || low > atMost ? "missed" : "not enough runs";
}

export function words({ atLeast, atMost }: Goal, what: string): string {
  const parts = [
    ...(atLeast === undefined ? [] : [`≥ ${atLeast}`]),
    ...(atMost === undefined ? [] : [`≤ ${atMost}`]),
  ];
  return `${what} ${parts.join(" and ")}`;
}
