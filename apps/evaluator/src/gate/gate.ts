import type { DataCheck, Evaluation, Metric } from "@heddle/proto/evaluator";
import type { Gate, MetricDefinition } from "@heddle/sdk";
import type { Interval } from "@heddle/statistics";
import { short } from "../statistics/words.ts";

export type Verdict = "pass" | "fail" | "not-enough-data";

/** One check of a gate, in words. */
export interface Check {
  /** Stable name, e.g. `auc-vs-live`. */
  readonly name: string;
  readonly verdict: Verdict;
  readonly explanation: string;
}

export interface Judgement {
  /** `fail` when one check fails; else `not-enough-data` when one lacks data; else `pass`. */
  readonly verdict: Verdict;
  readonly checks: readonly Check[];
}

/**
 * Judges a version by its model's gate. Each check goes by a 95 % interval, never by the point:
 * it passes when the whole interval is within the limit and fails when none of it is. Between, an
 * evaluation that would have passed a harmless version 95 times in 100 could decide, and did not
 * pass this one: fail; a less precise one says `not-enough-data`, which publishes nothing either.
 *
 * Checks against the live version do not apply where none was live.
 *
 * @param custom definitions of the model's custom metrics.
 */
export function judge(
  evaluation: Evaluation,
  gate: Gate,
  custom: readonly MetricDefinition[],
): Judgement {
  const metric = (name: string): Metric | undefined =>
    evaluation.metrics.find((one) => one.name === name && one.slice === "");
  const checks = [
    enoughData(evaluation, gate),
    ...(evaluation.liveVersion === "" ? [] : versusLive(metric, gate, custom)),
    calibrated(metric("calibration")?.candidate, gate.calibrationErrorMax),
    ...(gate.beatFallback ? [beatsFallback(metric("auc")?.versusFallback)] : []),
    dataHolds(evaluation),
  ];
  const has = (verdict: Verdict): boolean => checks.some((check) => check.verdict === verdict);
  const verdict = has("fail") ? "fail" : has("not-enough-data") ? "not-enough-data" : "pass";
  return { verdict, checks };
}

/**
 * Half an interval's width, in standard errors, over what a harmless version needs to pass in 95 of
 * 100 evaluations: the 97.5 % point and the 95 % point of the normal, over the former.
 */
const powerFactor = (1.96 + 1.645) / 1.96;

/** @param harm how bad it is: the value and the interval of something of which at most `limit` is allowed. */
function decide(harm: Interval, halfWidth: number, limit: number): Verdict {
  if (harm.high <= limit) return "pass";
  if (harm.low > limit) return "fail";
  return halfWidth * powerFactor <= limit ? "fail" : "not-enough-data";
}

function enoughData({ positives, rows }: Evaluation, { positivesMin }: Gate): Check {
  const verdict = positives >= BigInt(positivesMin) ? "pass" : "not-enough-data";
  const explanation = `${positives} positives among ${rows} evaluation rows; at least ${positivesMin} are needed`;
  return { name: "enough-data", verdict, explanation };
}

function versusLive(
  metric: (name: string) => Metric | undefined,
  gate: Gate,
  custom: readonly MetricDefinition[],
): Check[] {
  const limited = [
    { name: "auc", label: "AUC", better: "higher", limit: gate.aucDropMax },
    { name: "log-loss", label: "log loss", better: "lower", limit: gate.logLossRiseMax },
  ] as const;
  return [
    ...limited.map(({ name, label, better, limit }) =>
      harmless(`${name}-vs-live`, label, metric(name)?.versusLive, better, limit),
    ),
    ...custom.map(({ name, better }) => notWorse(name, metric(name)?.versusLive, better)),
  ];
}

function harmless(
  name: string,
  label: string,
  change: Interval | undefined,
  better: "higher" | "lower",
  limit: number,
): Check {
  if (change === undefined) return unmeasured(name, label);
  const verdict = decide(harmOf(change, better), (change.high - change.low) / 2, limit);
  const direction = better === "higher" ? "drop" : "rise";
  const doubt =
    verdict === "not-enough-data" ? "; the interval is too wide to tell, evaluate more rows" : "";
  const explanation = `${moved(label, change)}; a ${direction} of ${short(limit)} at most is allowed${doubt}`;
  return { name, verdict, explanation };
}

/** A custom metric has no limit of its own: it fails when the data show that the live version is better. */
function notWorse(metric: string, change: Interval | undefined, better: "higher" | "lower"): Check {
  const name = `${metric}-vs-live`;
  if (change === undefined) return unmeasured(name, metric);
  const verdict = harmOf(change, better).low > 0 ? "fail" : "pass";
  return { name, verdict, explanation: `${moved(metric, change)}; ${better} is better` };
}

function harmOf({ value, low, high }: Interval, better: "higher" | "lower"): Interval {
  return better === "lower" ? { value, low, high } : { value: -value, low: -high, high: -low };
}

/** @param ratio predicted positives per positive. */
function calibrated(ratio: Interval | undefined, limit: number): Check {
  const name = "calibration";
  if (ratio === undefined) return unmeasured(name, name);
  const { value, low, high } = ratio;
  const [below, above] = [Math.abs(low - 1), Math.abs(high - 1)];
  const holdsOne = low <= 1 && high >= 1;
  const error = {
    value: Math.abs(value - 1),
    low: holdsOne ? 0 : Math.min(below, above),
    high: Math.max(below, above),
  };
  const verdict = decide(error, (high - low) / 2, limit);
  const explanation = `predictions add up to ${short(value)} times the positives (${short(low)} to ${short(high)}); ${short(1 - limit)} to ${short(1 + limit)} is allowed`;
  return { name, verdict, explanation };
}

function beatsFallback(gain: Interval | undefined): Check {
  const name = "beats-fallback";
  if (gain === undefined) return unmeasured(name, "AUC");
  const verdict = gain.low > 0 ? "pass" : gain.high < 0 ? "fail" : "not-enough-data";
  const { value, low, high } = gain;
  const explanation = `AUC is ${short(Math.abs(value))} ${value < 0 ? "below" : "above"} the fallback's (${short(low)} to ${short(high)}); it must be above`;
  return { name, verdict, explanation };
}

/** Data checks that an explanation names, those of the largest changes: one cause often breaks several. */
const namedChecksMax = 3;

/** How far a share moved, by whatever factor up or down; Infinity for one that vanished. */
function changeOf({ value, reference }: DataCheck): number {
  return Math.abs(Math.log(value / reference));
}

/** Checks of the data have decided by themselves whether they hold. */
function dataHolds({ dataChecks }: Evaluation): Check {
  const name = "data-checks";
  const broken = dataChecks.filter(({ holds }) => !holds).sort((a, b) => changeOf(b) - changeOf(a));
  const none = "there is no earlier training data to compare with";
  const all = `${dataChecks.length} comparisons with the live version's training data hold`;
  if (broken.length > 0) {
    const named = broken.slice(0, namedChecksMax).map(({ explanation }) => explanation);
    const more = broken.length - named.length;
    const explanation = [...named, ...(more > 0 ? [`and ${more} more`] : [])].join("; ");
    return { name, verdict: "fail", explanation };
  }
  return { name, verdict: "pass", explanation: dataChecks.length === 0 ? none : all };
}

function unmeasured(name: string, what: string): Check {
  const explanation = `${what} has no interval: the evaluation rows need positives and negatives in more visits`;
  return { name, verdict: "not-enough-data", explanation };
}

/** `AUC fell by 0.012 (0.008 to 0.016)`: the interval in the direction of the movement. */
function moved(label: string, { value, low, high }: Interval): string {
  if (value < 0) {
    return `${label} fell by ${short(-value)} (${short(-high)} to ${short(-low)})`;
  }
  return `${label} rose by ${short(value)} (${short(low)} to ${short(high)})`;
}
