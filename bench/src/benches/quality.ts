import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { type Exported, exportRows, type Holdout, pooled } from "../../quality/export.ts";
import {
  differenceOf,
  type Interval,
  intervalOf,
  resample,
  type Resampled,
} from "../../quality/paired.ts";
import { openState } from "../../quality/state.ts";
import type { Bench, BenchOptions } from "../main.ts";
import { findPython, run } from "../python.ts";
import type { Row, Verdict } from "../row.ts";
import { skipped } from "../summarise.ts";

const model = "grocer-ranking";
const out = join(import.meta.dirname, "../../out");
const peers = ["lightgbm", "lightgbm-regularised"] as const;
const full = { resamples: 2_000, trees: 200, weeks: Number.POSITIVE_INFINITY, holdouts: 4 };
/** Smaller in every way; too small to say whether a goal holds. */
const small = { resamples: 300, trees: 60, weeks: 6, holdouts: 1 };
type Size = typeof full;

/**
 * How far behind each the model may be, at the lower end of the interval. LightGBM as it comes is not ahead of it; with settings for
 * large categories it may be, by little.
 */
const behindMax: Readonly<Record<string, number>> = { lightgbm: 0, "lightgbm-regularised": 0.005 };
/** LightGBM's threads wait for each other by spinning: with a core less than there are, a busy machine costs little. */
const threadsByDefault = Math.max(1, availableParallelism() - 1);
const peerMsMax = 3_600_000;

export const bench: Bench = {
  about:
    "AUC of the model that npm start trained, beside popularity's and LightGBM's on the same rows",
  run: async ({ quick, say, args, environment }) => {
    const size = quick ? small : full;
    const state = args["state"] ?? environment["HEDDLE_STATE"] ?? ".heddle";
    const folder = join(out, "quality");
    const { objects, versions: all } = await openState(state, model);
    const versions = all.slice(0, size.holdouts);
    const fromWeek = (versions[0]?.week ?? 0) + 1 - size.weeks;
    const exported = await exportRows({ objects, versions, fromWeek, folder, say });
    say(`${exported.trainingRows} rows to train on are in ${folder}`);
    const trained = await trainPeers(folder, args, size, say);
    const names = "missing" in trained ? [] : peers;
    const scores = await scoresOf(exported.holdouts, folder, names);
    const rows = rowsOf(exported, scores, names, size);
    return "missing" in trained ? [...rows, skipped("AUC − LightGBM's", trained.missing)] : rows;
  },
};

async function trainPeers(
  folder: string,
  { python: named, threads = String(threadsByDefault) }: BenchOptions["args"],
  { trees }: Size,
  say: (text: string) => void,
): Promise<object | { readonly missing: string }> {
  const python = await findPython("lightgbm", named, say);
  if ("missing" in python) return python;
  const script = join(import.meta.dirname, "../../quality/peer.py");
  const peerArgs = [script, folder, threads, String(trees)];
  const failure = await run(python.executable, peerArgs, { msMax: peerMsMax, say });
  return failure === undefined ? {} : { missing: `LightGBM failed: ${failure}` };
}

type Scores = Readonly<Record<string, ArrayLike<number>>>;

/** Each score of all holdouts' rows, in their order. */
async function scoresOf(
  holdouts: readonly Holdout[],
  folder: string,
  names: readonly string[],
): Promise<Scores> {
  const scores: Record<string, ArrayLike<number>> = {
    model: Float32Array.from(holdouts.flatMap((holdout) => [...holdout.model])),
    popularity: Float64Array.from(holdouts.flatMap((holdout) => [...holdout.popularity])),
  };
  for (const name of names) {
    const bytes = await readFile(join(folder, `predictions-${name}.f32`));
    scores[name] = new Float32Array(
      bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength),
    );
  }
  return scores;
}

function rowsOf(
  { holdouts }: Exported,
  scores: Scores,
  names: readonly string[],
  size: Size,
): Row[] {
  const all = pooled(holdouts);
  const weeks = holdouts.map(({ week }) => week);
  const which = weeks.length === 1 ? `week ${weeks[0]}` : `weeks ${weeks[0]}–${weeks.at(-1)}`;
  const judge = (holds: boolean): Verdict =>
    size === full && weeks.length === full.holdouts
      ? holds
        ? "holds"
        : "missed"
      : "not enough runs";
  const compare = (kind: string, resampled: Resampled): Row[] => [
    measured(`AUC${kind}, ${which}`, intervalOf(resampled, "model"), weeks.length),
    ...["popularity", ...names].map((peer): Row => {
      const difference = differenceOf(resampled, "model", peer);
      const behind = behindMax[peer];
      return {
        ...measured(`AUC${kind} above ${peer}'s, ${which}`, difference, weeks.length),
        ...{ peer, peerValue: resampled.whole[peer] ?? Number.NaN },
        goal: behind === undefined ? "lower end > 0" : `lower end ≥ ${-behind || 0}`,
        verdict: judge(behind === undefined ? difference.low > 0 : difference.low >= -behind),
      };
    }),
  ];
  const even = { ...all, weight: new Float32Array(all.weight.length).fill(1) };
  return [
    ...compare("", resample(all, scores, size.resamples)),
    // Every row drawn counts the same, as it did in both trainings.
    ...compare(" of the rows as drawn", resample(even, scores, size.resamples)),
    ...(holdouts.length > 1 ? byWeek(holdouts, scores, names, size) : []),
  ];
}

/** The same by week, without a goal: too few rows to judge by. */
function byWeek(
  holdouts: readonly Holdout[],
  scores: Scores,
  names: readonly string[],
  { resamples }: Size,
): Row[] {
  let from = 0;
  return holdouts.flatMap((holdout) => {
    const to = from + holdout.rows;
    const own = Object.fromEntries(
      Object.entries(scores).map(([name, score]) => [name, Array.from(score).slice(from, to)]),
    );
    from = to;
    const resampled = resample(pooled([holdout]), own, resamples);
    return ["popularity", ...names].map((peer) => ({
      ...measured(
        `AUC above ${peer}'s, week ${holdout.week}`,
        differenceOf(resampled, "model", peer),
        1,
      ),
      ...{ peer, peerValue: resampled.whole[peer] ?? Number.NaN },
    }));
  });
}

function measured(measure: string, interval: Interval, runs: number): Row {
  return { measure, unit: "AUC", ...interval, runs };
}
