import { messageOf } from "@heddle/base";
import { temporaryFolder } from "@heddle/testkit";
import { anotherFirst } from "../another-first.ts";
import type { BenchOptions } from "../main.ts";
import type { Goal, Row } from "../row.ts";
import { compared, skipped } from "../summarise.ts";
import { clickModel } from "./criteo/definition.ts";
import { type Clicks, makeClicks, repeated } from "./criteo/table.ts";
import { type GangOptions, openJobs, trainOnce, placeIn } from "./gang.ts";
import { type Steady, trainSteady } from "./measure.ts";
import { openTrainPeers, type TrainPeer } from "./peers.ts";

const batchSize = 4_096;
const full = { partitions: 4, partitionRows: 262_144, rounds: 5 };
const small = { partitions: 2, partitionRows: 131_072, rounds: 3 };
/** Mean losses over the data that differ by more were not reached by the same training. */
const lossError = 0.01;

/** Ways to train, each in fresh processes. */
const ways = {
  one: { shards: 0 },
  lane: { shards: 2, lane: "unix" },
  grpc: { shards: 2, lane: "none" },
  /** Each takes one of a step's two micro-batches. */
  two: { shards: 2, lane: "unix", learners: 2 },
} as const satisfies Record<string, Partial<GangOptions>>;
const own = "learner + 2 shards by lane";
const inOne = "one process";
const twice = "2 learners + 2 shards by lane";
/** One pass more than the way without it, so that what a second pass took beyond the first is known. */
const andAgain = (name: string): string => `${name}, two passes`;

/** What a pass took. */
type Pass = Pick<Steady, "examples" | "cpuSeconds">;
/** What takes part. */
interface Runner {
  readonly name: string;
  train(round: number): Promise<Pass>;
}
/** By runner, in order of rounds. */
type Passes = ReadonlyMap<string, readonly Pass[]>;

/** Whole training on a synthetic table of clicks. */
export async function trainOnClicks(options: BenchOptions): Promise<readonly Row[]> {
  const { quick, say, environment } = options;
  const { partitions, partitionRows: rowsByDefault, rounds } = quick ? small : full;
  const partitionRows = Number(options.args["partition-rows"] ?? rowsByDefault);
  using folder = temporaryFolder("bench-clicks");
  const clicks = await makeClicks(folder.path, partitions, partitionRows);
  say(`${clicks.rows} rows of clicks are made`);
  const place = placeIn(folder, environment);
  await using jobs = openJobs(place);
  const executor = options.args["executor"] === "tensorflow" ? "tensorflow" : "auto";
  const [peers, absent] = await openTrainPeers(clicks.peerFolder, batchSize, options);
  const whole = await trainOnce(jobs, place, gangOf(clicks, "lane", executor, "whole"));
  say(
    `trained once whole, by ${whole.summary.executor}: mean loss ${whole.summary.meanLoss.toFixed(4)}`,
  );
  const [sane, failed] = await checked(peers, whole.summary.meanLoss, say);
  const steady = (name: string, way: keyof typeof ways, passes = 1): Runner => ({
    name,
    train: (round) => {
      const gang = gangOf(clicks, way, executor, `${way}-${passes}-${round}`);
      const dataset = repeated(clicks, passes);
      return trainSteady(jobs, place, { ...gang, dataset }, passes * clicks.rows);
    },
  });
  const runners = [
    steady(inOne, "one"),
    steady(andAgain(inOne), "one", 2),
    steady(own, "lane"),
    steady(andAgain(own), "lane", 2),
    steady("by gRPC", "grpc"),
    steady(twice, "two"),
    steady(andAgain(twice), "two", 2),
    ...sane.map(({ name, train }): Runner => ({
      name,
      train: async () => ({ examples: clicks.rows, cpuSeconds: (await train()).cpuSeconds }),
    })),
  ];
  const passes = await interleaved(runners, rounds, say);
  for (const peer of peers) await peer.close();
  return [...rowsOf(passes, sane), ...failed, ...absent];
}

function gangOf(
  { manifest }: Clicks,
  way: keyof typeof ways,
  executor: GangOptions["executor"],
  run: string,
): GangOptions {
  const microBatches = way === "two" ? 2 : 1;
  const definitionJson = JSON.stringify(clickModel(batchSize, microBatches));
  return { definitionJson, run, dataset: manifest, datasetName: "clicks", executor, ...ways[way] };
}

/** Peers that reach the loss of the learner's training; the servers of TensorFlow start warm, so theirs may be lower. */
async function checked(
  peers: readonly TrainPeer[],
  loss: number,
  say: (text: string) => void,
): Promise<[TrainPeer[], Row[]]> {
  const sane: TrainPeer[] = [];
  const failed: Row[] = [];
  for (const peer of peers) {
    try {
      const pass = await peer.train();
      say(`${peer.name}: mean loss ${pass.loss.toFixed(4)}`);
      const error = peer.distributed ? 5 * lossError : lossError;
      if (!(Math.abs(pass.loss - loss) <= error)) {
        throw new Error(
          `its mean loss is ${pass.loss}, the learner's ${loss}: not the same training`,
        );
      }
      sane.push(peer);
    } catch (error) {
      failed.push(skipped(`beside ${peer.name}`, messageOf(error)));
    }
  }
  return [sane, failed];
}

/** All in each round, another first in each. */
async function interleaved(
  runners: readonly Runner[],
  rounds: number,
  say: (text: string) => void,
): Promise<Passes> {
  const passes = new Map<string, Pass[]>(runners.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const { name, train } of anotherFirst(runners, round)) {
      const pass = await train(round);
      passes.get(name)?.push(pass);
      say(`round ${round + 1}, ${name}: ${Math.round(speedOf(pass))} examples/CPU-s`);
    }
  }
  return passes;
}

const speedOf = ({ examples, cpuSeconds }: Pass): number => examples / cpuSeconds;

/**
 * What the second pass of two took, by round: without the start of programs, the check of the graph, the compiler's work on it and the
 * growth of tables, as peers are measured, whose first step does not count and whose tables are made before; with all reading.
 */
function onceStarted(passes: Passes, name: string): number[] {
  const first = passes.get(name) ?? [];
  return (passes.get(andAgain(name)) ?? []).map((both, round) => {
    const { examples = Number.NaN, cpuSeconds = Number.NaN } = first[round] ?? {};
    return (both.examples - examples) / (both.cpuSeconds - cpuSeconds);
  });
}

function rowsOf(passes: Passes, peers: readonly TrainPeer[]): Row[] {
  const whole = (name: string): number[] => (passes.get(name) ?? []).map(speedOf);
  const row = (measure: string, values: number[], peer: string, goal?: Goal): Row =>
    compared(
      ...([`clicks, ${measure}`, "examples/CPU-s", values] as const),
      { name: peer, values: whole(peer) },
      goal,
    );
  const beside = (name: string, peer: string, goal?: Goal): Row =>
    row(name, whole(name), peer, goal);
  const startedBeside = (name: string, peer: string): Row =>
    row(`${name}, once started`, onceStarted(passes, name), peer, { atLeast: 1 });
  const bothStarted = (name: string, peer: string): Row =>
    compared(`clicks, ${name}, once started`, "examples/CPU-s", onceStarted(passes, name), {
      name: `${peer}, once started`,
      values: onceStarted(passes, peer),
    });
  const alone = peers.filter(({ distributed }) => !distributed);
  const distributed = peers.filter((peer) => peer.distributed);
  return [
    ...alone.flatMap(({ name }) => [startedBeside(inOne, name), beside(inOne, name)]),
    beside(own, inOne, { atLeast: 0.85 }),
    beside(own, "by gRPC"),
    beside("by gRPC", inOne),
    bothStarted(twice, own),
    beside(twice, own),
    ...distributed.flatMap(({ name }) => [startedBeside(own, name), beside(own, name)]),
  ];
}
