import { openExecutor } from "@heddle/executor";
import type { Jobs } from "@heddle/jobs";
import { stageNames } from "@heddle/learner";
import { temporaryFolder } from "@heddle/testkit";
import type { BenchOptions } from "../main.ts";
import type { Row } from "../row.ts";
import { compared, measured, skipped } from "../summarise.ts";
import { openGrocer } from "./grocer-data.ts";
import { buildDataset, openJobs, type Place, type Training, trainOnce, placeIn } from "./gang.ts";

/** Weeks to train on and rounds of it. The small one's households have next to no past, which costs the same. */
const full = { firstWeek: 5, lastWeek: 12, rounds: 5 };
const small = { firstWeek: 3, lastWeek: 4, rounds: 3 };
const shards = 2;
const spenders = ["read", "transform", "compute", "main", "libraries"] as const;
const mebibyte = 2 ** 20;

const gangs = ["auto", "tfjs"] as const;
type Gang = (typeof gangs)[number];
type Rounds = Readonly<Record<Gang, readonly Training[]>>;

/** Training on the grocer, the recorded graph beside the same steps run op by op by TensorFlow.js. */
export async function trainOnGrocer(options: BenchOptions): Promise<readonly Row[]> {
  const { quick, say, environment } = options;
  const { firstWeek, lastWeek, rounds } = quick ? small : full;
  using folder = temporaryFolder("bench-train");
  await using data = await openGrocer(folder.path, lastWeek, say);
  const { featureStore, objects } = data;
  const place: Place = { ...placeIn(folder, environment), featureStore, objects };
  await using jobs = openJobs(place);
  const definitionJson = JSON.stringify(data.definition);
  const weeks = [String(firstWeek), String(lastWeek)] as const;
  const datasetName = await buildDataset(jobs, place, definitionJson, weeks);
  say("the dataset is built");
  const done = await interleaved(rounds, jobs, place, { definitionJson, datasetName, shards }, say);
  return rowsOf(done, (await openExecutor({ kind: "auto" })).kind);
}

/** Both in each round, each first in every other one: what slows the machine for a while slows both. */
async function interleaved(
  rounds: number,
  jobs: Jobs,
  place: Place,
  options: {
    readonly definitionJson: string;
    readonly datasetName: string;
    readonly shards: number;
  },
  say: (text: string) => void,
): Promise<Rounds> {
  const done: Record<Gang, Training[]> = { auto: [], tfjs: [] };
  for (let round = 0; round < rounds; round++) {
    for (const executor of round % 2 === 0 ? gangs : gangs.toReversed()) {
      const training = await trainOnce(jobs, place, {
        ...options,
        ...{ executor, run: `${executor}-${round + 1}` },
      });
      done[executor].push(training);
      const { examples, wallSeconds, executor: name } = training.summary;
      say(`round ${round + 1}: ${examples} examples in ${wallSeconds.toFixed(1)} s by ${name}`);
    }
  }
  return done;
}

/** @param kind of the executor that a learner takes by itself. */
function rowsOf({ auto, tfjs }: Rounds, kind: string): readonly Row[] {
  const peer = "op by op (tfjs, WASM)";
  const beside = (
    measure: string,
    unit: string,
    of: (training: Training) => number,
    atLeast?: 1,
  ) =>
    kind === "tfjs"
      ? measured(measure, unit, auto.map(of))
      : compared(
          ...([measure, unit, auto.map(of), { name: peer, values: tfjs.map(of) }] as const),
          atLeast === undefined ? undefined : { atLeast },
        );
  const rows = [
    beside("grocer, throughput", "examples/s", (t) => examplesOf(t) / t.summary.wallSeconds, 1),
    beside(
      "grocer, per CPU-second",
      "examples/CPU-s",
      (t) => examplesOf(t) / t.summary.cpuSeconds,
      1,
    ),
    ...stageNames.map((stage) =>
      measured(`grocer, learner's time: ${stage}`, "%", auto.map(shareOf(stage))),
    ),
    ...spenders.map((name) =>
      measured(`grocer, learner's CPU: ${name}`, "s", auto.map(cpuOf(name))),
    ),
    measured(
      "grocer, lateness of its event loop, p99",
      "ms",
      auto.map((t) => t.summary.loopDelayP99Ms),
    ),
    measured(`grocer, learner's time op by op: compute`, "%", tfjs.map(shareOf("compute"))),
    measured("grocer, CPU of the shards", "% of all CPU", auto.map(shardShare)),
    beside(
      "grocer, learner's peak memory",
      "MiB",
      (t) => Number(t.summary.peakMemoryBytes) / mebibyte,
    ),
    beside(`grocer, peak memory of ${shards} shards`, "MiB", (t) => t.shardMemoryBytes / mebibyte),
  ];
  const why = "onnxruntime-node does not load here: the learner itself runs op by op";
  return kind === "tfjs" ? [...rows, skipped("recorded graph beside op by op", why)] : rows;
}

const examplesOf = ({ summary }: Training): number => Number(summary.attemptExamples);
const shareOf =
  (stage: (typeof stageNames)[number]) =>
  ({ summary }: Training): number =>
    100 * (summary.stageShares[stage] ?? 0);
const cpuOf =
  (name: (typeof spenders)[number]) =>
  ({ summary }: Training): number =>
    summary.stageCpuSeconds[name] ?? 0;
const shardShare = ({ summary, shardCpuSeconds }: Training): number =>
  (100 * shardCpuSeconds) / summary.cpuSeconds;
