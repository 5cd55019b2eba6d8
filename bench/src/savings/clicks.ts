import type { Jobs } from "@heddle/jobs";
import type { ModelDefinition } from "@heddle/sdk";
import { temporaryFolder } from "@heddle/testkit";
import { anotherFirst } from "../another-first.ts";
import type { BenchOptions } from "../main.ts";
import type { Row } from "../row.ts";
import { compared, measured } from "../summarise.ts";
import { clickModel } from "../train/criteo/definition.ts";
import { type Clicks, makeClicks } from "../train/criteo/table.ts";
import { type GangOptions, openJobs, type Place, withGang, placeIn } from "../train/gang.ts";
import { momentOf, watch } from "../train/measure.ts";
import { stepsOfClicks, unchangedShare } from "./unchanged.ts";

const batchSize = 4_096;
const full = { partitions: 2, partitionRows: 262_144, rounds: 5 };
const small = { partitions: 1, partitionRows: 81_920, rounds: 3 };
const shards = 2;
type Training = ModelDefinition["training"];

const bounded = { kind: "bounded", staleness: 8, inFlight: 1 } as const;
/** What spares bytes, and what it is compared with: the same mode without it. */
const ways: readonly {
  readonly name: string;
  readonly beside?: string;
  readonly training: Partial<Training>;
}[] = [
  { name: "exact", training: {} },
  { name: "rows in bfloat16", beside: "exact", training: { rows: { wire: "bfloat16" } } },
  { name: "rows in int8", beside: "exact", training: { rows: { wire: "int8" } } },
  { name: "bounded", training: { mode: bounded } },
  {
    name: "rows up to 8 pushes old",
    beside: "bounded",
    training: { mode: { ...bounded, rowAge: 8 } },
  },
];
const lanes = { "by lane": "unix", "by gRPC": "none" } as const;

/** What one step took. */
interface OfStep {
  readonly bytes: number;
  readonly cpuMs: number;
  readonly loss: number;
}

/**
 * What a step of the clicks' model moves and costs with each saving, learner and two shards as processes on this machine: where bytes cost
 * least, so that a saving which pays here pays anywhere.
 */
export async function savingsOnClicks(options: BenchOptions): Promise<readonly Row[]> {
  const { quick, say, environment } = options;
  const { partitions, partitionRows, rounds } = quick ? small : full;
  using folder = temporaryFolder("bench-savings-clicks");
  const clicks = await makeClicks(folder.path, partitions, partitionRows);
  const place = placeIn(folder, environment);
  await using jobs = openJobs(place);
  const runners = Object.entries(lanes).flatMap(([by, lane]) =>
    ways.map(({ name, beside, training }, n) => ({
      run: `${lane}-${n}`,
      name: `${name}, ${by}`,
      beside: beside && `${beside}, ${by}`,
      gang: { lane, definitionJson: JSON.stringify(modelOf(training)) },
    })),
  );
  const taken = new Map<string, OfStep[]>(runners.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const { name, run, gang } of anotherFirst(runners, round)) {
      const one = await trained(jobs, place, clicks, gang, `${run}-${round}`);
      taken.get(name)?.push(one);
      say(`clicks, round ${round + 1}, ${name}: ${one.cpuMs.toFixed(1)} CPU ms a step`);
    }
  }
  const valuesOf = (name: string, of: keyof OfStep): number[] =>
    (taken.get(name) ?? []).map((one) => one[of]);
  const rowsOf = (unit: string, of: keyof OfStep): Row[] =>
    runners.map(({ name, beside }) =>
      beside === undefined
        ? measured(`clicks: ${name}`, unit, valuesOf(name, of))
        : compared(`clicks: ${name}`, unit, valuesOf(name, of), {
            name: beside,
            values: valuesOf(beside, of),
          }),
    );
  const steps = stepsOfClicks(clicks.peerFolder, batchSize);
  return [
    ...[0, 1].map((lag) =>
      measured(`clicks: rows pulled again unchanged, exact with a lag of ${lag}`, "share", [
        unchangedShare(steps, lag),
      ]),
    ),
    ...rowsOf("bytes a step", "bytes"),
    ...rowsOf("CPU ms a step", "cpuMs"),
    ...rowsOf("mean loss", "loss"),
  ];
}

function modelOf(training: Partial<Training>): ModelDefinition {
  const model = clickModel(batchSize);
  return { ...model, training: { ...model.training, ...training } };
}

/** Trains once; its CPU is that from when the learner asks for its data to the last moment that it is in the midst of them, of all processes. */
async function trained(
  jobs: Jobs,
  place: Place,
  { manifest, rows }: Clicks,
  gang: Pick<GangOptions, "definitionJson" | "lane">,
  run: string,
): Promise<OfStep> {
  const given = { ...gang, run, shards, executor: "auto" as const };
  const data = { dataset: manifest, datasetName: "clicks" };
  return withGang(jobs, place, { ...given, ...data }, async (opened) => {
    await opened.told.reading;
    const begin = momentOf(opened, 0);
    let end = begin;
    await watch(opened, (moment) => {
      const within = moment.examples < rows;
      if (within || end === begin) end = moment;
      return within;
    });
    await opened.done;
    const { movedBytes, meanLoss, steps } = await opened.told.training;
    const { pulled = 0n, pushed = 0n } = movedBytes;
    const measuredSteps = end.examples / batchSize;
    return {
      bytes: Number(pulled + pushed) / Number(steps),
      cpuMs: ((end.cpuSeconds - begin.cpuSeconds) / measuredSteps) * 1_000,
      loss: meanLoss,
    };
  });
}
