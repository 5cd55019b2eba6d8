import { readdirSync, readFileSync } from "node:fs";
import { telemetryVariables } from "@heddle/telemetry";
import { type TemporaryFolder, temporaryFolder } from "@heddle/testkit";
import { anotherFirst } from "../another-first.ts";
import type { BenchOptions } from "../main.ts";
import type { Row } from "../row.ts";
import { compared, measured } from "../summarise.ts";
import { clickModel } from "../train/criteo/definition.ts";
import { type Clicks, makeClicks } from "../train/criteo/table.ts";
import { openJobs, type Place, placeIn } from "../train/gang.ts";
import { type Steady, trainSteady } from "../train/measure.ts";
import { loaderHookRows } from "./loader-hook.ts";
import { cpuOfLookUs, cpuOfSpanUs } from "./span-cost.ts";

const full = { partitions: 2, partitionRows: 131_072, rounds: 9 };
const small = { partitions: 2, partitionRows: 65_536, rounds: 3 };
/** Small steps, of which a second has more. */
const batchSize = 1_024;
const shards = 2;

/** Ways to train: not traced; every 100th step, as by default; every step. */
const ways = { untraced: undefined, traced: 100, "every step": 1 } as const;
type Way = keyof typeof ways;

interface Round extends Steady {
  /** Spans of learner and shards. */
  readonly spans: number;
}

/** What tracing costs a training: by what a span costs, and by trainings with and without it, in turn. */
export async function tracingRows({
  quick,
  say,
  environment,
}: BenchOptions): Promise<readonly Row[]> {
  const { partitions, partitionRows, rounds } = quick ? small : full;
  using folder = temporaryFolder("bench-tracing");
  const clicks = await makeClicks(folder.path, partitions, partitionRows);
  const place = placeIn(folder, environment);
  const done: Record<Way, Round[]> = { untraced: [], traced: [], "every step": [] };
  const cost: { span: number; look: number }[] = [];
  const order = Object.keys(ways) as Way[];
  // The first round warms up what Node compiled and the files' pages.
  for (let round = -1; round < rounds; round++) {
    const span = await cpuOfSpanUs(folder.file("telemetry", `cost-${round + 1}`));
    const look = await cpuOfLookUs();
    if (round >= 0) cost.push({ span, look });
    for (const way of anotherFirst(order, round)) {
      const one = await train(way, round + 1, clicks, place, folder);
      if (round >= 0) done[way].push(one);
      const rate = Math.round(one.examples / one.cpuSeconds);
      say(`round ${round + 1}, ${way}: ${rate} examples/CPU-s, ${one.spans} spans`);
    }
  }
  return [...rowsOf(done, cost), ...loaderHookRows(rounds)];
}

async function train(
  way: Way,
  round: number,
  { manifest, rows }: Clicks,
  place: Place,
  folder: TemporaryFolder,
): Promise<Round> {
  const traceEverySteps = ways[way];
  const run = `${way.replace(" ", "-")}-${round}`;
  const spansFolder = folder.file("telemetry", run);
  const telemetry =
    traceEverySteps === undefined
      ? {}
      : telemetryVariables({ folder: spansFolder, traceEverySteps });
  const own = { ...place, environment: { ...place.environment, ...telemetry } };
  const gang = {
    definitionJson: JSON.stringify(clickModel(batchSize)),
    ...{ run, dataset: manifest, datasetName: "clicks", executor: "auto" as const },
    ...{ shards, lane: "unix" as const },
  };
  await using jobs = openJobs(own);
  const steady = await trainSteady(jobs, own, gang, rows);
  return { ...steady, spans: traceEverySteps === undefined ? 0 : spansIn(spansFolder) };
}

const spansIn = (folder: string): number =>
  readdirSync(folder)
    .filter((file) => file.startsWith("spans-"))
    .reduce((sum, file) => sum + readFileSync(`${folder}/${file}`, "utf8").split("\n").length, 0);

function rowsOf(
  done: Readonly<Record<Way, readonly Round[]>>,
  cost: readonly { readonly span: number; readonly look: number }[],
): readonly Row[] {
  const { untraced, traced } = done;
  const stepsOf = ({ examples }: Steady): number => examples / batchSize;
  const spansPerStep = traced.map((round) => round.spans / stepsOf(round));
  const cpuOfStep = untraced.map((round) => (1e6 * round.cpuSeconds) / stepsOf(round));
  const own = spansPerStep.map((spans, n) => spans * (cost[n]?.span ?? Number.NaN));
  const perCpu = ({ examples, cpuSeconds }: Steady): number => examples / cpuSeconds;
  const perSecond = ({ examples, wallSeconds }: Steady): number => examples / wallSeconds;
  const beside = (way: Way, what: string, unit: string, of: (round: Steady) => number): Row =>
    compared(
      ...([`training, ${way}: ${what}`, unit, done[way].map(of)] as const),
      { name: "untraced", values: untraced.map(of) },
      way === "traced" ? { atLeast: 0.95 } : undefined,
    );
  return [
    measured(
      "CPU of a span, kept in files",
      "µs",
      cost.map(({ span }) => span),
    ),
    measured(
      "CPU of a port's look where nothing is traced",
      "µs",
      cost.map(({ look }) => look),
    ),
    measured("spans of a training step, traced", "spans", spansPerStep),
    compared(
      ...(["spans of a step × CPU of a span", "µs", own] as const),
      { name: "CPU of a step, untraced", values: cpuOfStep },
      { atMost: 0.02 },
    ),
    beside("traced", "per CPU-second", "examples/CPU-s", perCpu),
    beside("traced", "throughput", "examples/s", perSecond),
    beside("every step", "per CPU-second", "examples/CPU-s", perCpu),
  ];
}
