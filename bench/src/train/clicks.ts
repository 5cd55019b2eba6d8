import { messageOf } from "@heddle/base";
import type { Jobs } from "@heddle/jobs";
import { temporaryFolder } from "@heddle/testkit";
import type { BenchOptions } from "../main.ts";
import type { Goal, Row } from "../row.ts";
import { compared, skipped } from "../summarise.ts";
import { clickModel } from "./criteo/definition.ts";
import { type Clicks, makeClicks } from "./criteo/table.ts";
import { type GangOptions, openJobs, type Place, trainOnce, placeIn } from "./gang.ts";
import { trainSteady } from "./measure.ts";
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

/** What takes part: its name, and one pass in examples per CPU-second. */
interface Runner {
  readonly name: string;
  train(round: number): Promise<number>;
}
/** Examples per CPU-second by runner, in order of rounds. */
type Speeds = ReadonlyMap<string, readonly number[]>;

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
  const steady = (name: string, way: keyof typeof ways): Runner => ({
    name,
    train: (round) =>
      speedOf(jobs, place, clicks, gangOf(clicks, way, executor, `${way}-${round}`)),
  });
  const runners = [
    steady(inOne, "one"),
    steady(own, "lane"),
    steady("by gRPC", "grpc"),
    steady(twice, "two"),
    ...sane.map(({ name, train }): Runner => ({
      name,
      train: async () => clicks.rows / (await train()).cpuSeconds,
    })),
  ];
  const speeds = await interleaved(runners, rounds, say);
  for (const peer of peers) await peer.close();
  return [...rowsOf(speeds, sane), ...failed, ...absent];
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

async function speedOf(jobs: Jobs, place: Place, { rows }: Clicks, gang: GangOptions) {
  const { examples, cpuSeconds } = await trainSteady(jobs, place, gang, rows);
  return examples / cpuSeconds;
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
): Promise<Speeds> {
  const speeds = new Map<string, number[]>(runners.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    const at = round % runners.length;
    for (const { name, train } of [...runners.slice(at), ...runners.slice(0, at)]) {
      const speed = await train(round);
      speeds.get(name)?.push(speed);
      say(`round ${round + 1}, ${name}: ${Math.round(speed)} examples/CPU-s`);
    }
  }
  return speeds;
}

function rowsOf(speeds: Speeds, peers: readonly TrainPeer[]): Row[] {
  const beside = (name: string, peer: string, goal?: Goal): Row =>
    compared(
      ...([`clicks, ${name}`, "examples/CPU-s", speeds.get(name) ?? []] as const),
      { name: peer, values: speeds.get(peer) ?? [] },
      goal,
    );
  const alone = peers.filter(({ distributed }) => !distributed);
  const distributed = peers.filter((peer) => peer.distributed);
  return [
    ...alone.map(({ name }) => beside(inOne, name, { atLeast: 1 })),
    beside(own, inOne, { atLeast: 0.85 }),
    beside(own, "by gRPC"),
    beside("by gRPC", inOne),
    beside(twice, own),
    ...distributed.map(({ name }) => beside(own, name, { atLeast: 1 })),
  ];
}
