import { temporaryFolder } from "@heddle/testkit";
import {
  differenceOf,
  type Interval,
  intervalOf,
  logLossOf,
  resample,
  type Resampled,
} from "../../quality/paired.ts";
import type { Bench, BenchOptions } from "../main.ts";
import type { Row, Verdict } from "../row.ts";
import { savingsOnClicks } from "../savings/clicks.ts";
import { openHoldout } from "../savings/holdout.ts";
import { trafficRows, type Trained } from "../savings/traffic.ts";
import { exactOf, type Variant, variants } from "../savings/variants.ts";
import { buildDataset, openJobs, type Place, trainOnce, placeIn } from "../train/gang.ts";
import { openGrocer } from "../train/grocer-data.ts";

/** Weeks to train on; the next one is the holdout. */
const full = { firstWeek: 5, lastWeek: 16, resamples: 2_000 };
const small = { firstWeek: 3, lastWeek: 5, resamples: 300 };
const shards = 2;

export const bench: Bench = {
  about: "quality of the grocer's model, bytes and CPU of a step of the clicks' with each saving",
  run: async (options) => {
    const only = options.args["data"];
    return [
      ...(only === "grocer" ? [] : await savingsOnClicks(options)),
      ...(only === "clicks" ? [] : await qualityOnGrocer(options)),
    ];
  },
};

/** Each saving beside the exact model, on the same visits. */
async function qualityOnGrocer({ quick, say, environment }: BenchOptions): Promise<Row[]> {
  const { firstWeek, lastWeek, resamples } = quick ? small : full;
  using folder = temporaryFolder("bench-savings");
  await using data = await openGrocer(folder.path, lastWeek + 1, say);
  const { featureStore, objects } = data;
  const place: Place = { ...placeIn(folder, environment), featureStore, objects };
  await using jobs = openJobs(place);
  const exact = exactOf(data.definition);
  const weeks = [String(firstWeek), String(lastWeek)] as const;
  const next = String(lastWeek + 1);
  const datasetName = await buildDataset(jobs, place, JSON.stringify(exact), weeks);
  const holdoutName = await buildDataset(
    jobs,
    place,
    JSON.stringify(exact),
    [next, next],
    "evaluation",
  );
  const holdout = await openHoldout(data.objects, holdoutName);
  const scores: Record<string, Float32Array> = {};
  const trained: Trained[] = [];
  const all: readonly Pick<Variant, "name" | "of">[] = [
    { name: "exact", of: exactOf },
    ...variants,
  ];
  for (const [i, { name, of }] of all.entries()) {
    const definitionJson = JSON.stringify(of(exact));
    const gang = { definitionJson, run: `savings-${i}`, datasetName, shards, executor: "auto" };
    const { version, summary } = await trainOnce(jobs, place, { ...gang, executor: "auto" });
    scores[name] = await holdout.scoreBy(version);
    trained.push({ name, summary });
    say(`${name}: trained on weeks ${firstWeek} to ${lastWeek}, scored on week ${next}`);
  }
  return [
    ...rowsOf("AUC", resample(holdout.rows, scores, resamples), "above"),
    ...rowsOf("log loss", resample(holdout.rows, scores, resamples, logLossOf), "below"),
    ...trafficRows(trained),
  ];
}

/** The exact model's value, and each variant's difference from it. @param better on which side of a value better ones lie. */
function rowsOf(unit: string, resampled: Resampled, better: "above" | "below"): Row[] {
  const exact = intervalOf(resampled, "exact");
  const row = (measure: string, interval: Interval): Row => ({
    measure,
    unit,
    ...interval,
    runs: 1,
  });
  return [
    row(`${unit} of exact`, exact),
    ...variants.map(({ name, kind }): Row => {
      const difference = differenceOf(resampled, name, "exact");
      return {
        ...row(`${unit} of ${name}, less exact's`, difference),
        ...{ peer: "exact", peerValue: exact.value },
        ...(kind === "noise"
          ? {}
          : { goal: "within the interval of exact", verdict: judge(difference, exact, better) }),
      };
    }),
  ];
}

/** A difference is allowed as long as the whole of it is no worse than the worse end of exact's own interval. */
function judge(difference: Interval, exact: Interval, better: "above" | "below"): Verdict {
  const sign = better === "above" ? 1 : -1;
  const allowed = better === "above" ? exact.low - exact.value : exact.value - exact.high;
  const ends = [sign * difference.low, sign * difference.high];
  if (Math.min(...ends) >= allowed) return "holds";
  return Math.max(...ends) < allowed ? "missed" : "not enough runs";
}
