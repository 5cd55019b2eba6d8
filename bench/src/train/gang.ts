import { readFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "@heddle/base";
import { type Jobs, openProcessJobs, type RunningJob } from "@heddle/jobs";
import { ParameterServerService } from "@heddle/proto/parameter-server";
import type { TrainingSummary } from "@heddle/proto/registry";
import { connect } from "@heddle/rpc";
import { jobEnvironment, type TemporaryFolder } from "@heddle/testkit";
import { silentTelemetry } from "@heddle/telemetry";
import type { BenchOptions } from "../main.ts";
import { type Given, leader, startServices, type Told } from "./services.ts";

const apps = join(import.meta.dirname, "../../../apps");
const probe = join(import.meta.dirname, "probe-main.ts");
/** The product's programs, each started by the probe. */
const entries = {
  dataset: join(apps, "feature-store/src/dataset-job.ts"),
  learner: join(apps, "learner/src/train-job.ts"),
  shard: join(apps, "parameter-server/src/shard-job.ts"),
  "learner-alone": join(apps, "cli/src/host/train-alone-job.ts"),
} as const;
const stopMs = 10_000;

/** Where a bench's processes work. */
export interface Place {
  /** `host:port` of the feature store; where none is, the services of a round have the dataset. */
  readonly featureStore?: string;
  /** Folder of the object store. */
  readonly objects: string;
  readonly logFolder: string;
  /** What the jobs' environment starts from: PATH and the like. */
  readonly environment: Readonly<Record<string, string>>;
}

/** A place in a bench's folder. */
export function placeIn(folder: TemporaryFolder, environment: BenchOptions["environment"]): Place {
  return {
    objects: folder.file("objects"),
    logFolder: folder.file("logs"),
    environment: jobEnvironment(environment),
  };
}

/** The programs as the scheduler starts them. */
export function openJobs({ logFolder, environment }: Place): Jobs {
  const programs = Object.fromEntries(Object.keys(entries).map((name) => [name, probe]));
  const clock = systemClock;
  return openProcessJobs({ programs, node: process.execPath, logFolder, environment, clock });
}

/** Builds a dataset in a process of its own. @returns its name. */
export async function buildDataset(
  jobs: Jobs,
  place: Place,
  definitionJson: string,
  [fromPartition, toPartition]: readonly [string, string],
  use: "training" | "evaluation" = "training",
): Promise<string> {
  await using services = await startServices({ definitionJson, run: "none" });
  const job = await start(jobs, place, services.address, "dataset", "dataset", {
    ...{ modelDefinitionJson: definitionJson, fromPartition, toPartition, use },
  });
  await succeeded(job);
  return (await services.told.outputs)["dataset"] ?? "";
}

/** One training, as its learner and its shards measured it. */
export interface Training {
  readonly summary: TrainingSummary;
  /** Where the version's manifest is. */
  readonly version: { readonly name: string; readonly sha256: string };
  /** Of all shards, at the end. */
  readonly shardCpuSeconds: number;
  readonly shardMemoryBytes: number;
}

export interface GangOptions extends Given {
  /** Name of the dataset. */
  readonly datasetName: string;
  readonly executor: "auto" | "tensorflow" | "tfjs";
  /** `none` leaves the shards to gRPC. */
  readonly lane?: "unix" | "none";
  /** 0: the learner keeps the parameters itself. */
  readonly shards: number;
  readonly learners?: number;
}

/** A gang that trains. */
export interface Gang {
  readonly told: Told;
  readonly shardNames: readonly string[];
  /** Resolves when the leading learner is done. @throws when a member ends before. */
  readonly done: Promise<void>;
  /** Process ids of all members. */
  pids(): readonly number[];
}

/** Starts shards and learners over gRPC as the scheduler would, each in a fresh process, and stops them after `body`. */
export async function withGang<T>(
  jobs: Jobs,
  place: Place,
  options: GangOptions,
  body: (gang: Gang) => Promise<T>,
): Promise<T> {
  const { datasetName, executor, shards, learners = 1, lane = "unix" } = options;
  await using services = await startServices(options);
  const { told, address } = services;
  const members: RunningJob[] = [];
  const enter = async (program: Program, job: string, own: object): Promise<RunningJob> => {
    const member = await start(jobs, place, address, program, job, own);
    members.push(member);
    return member;
  };
  const shardNames = Array.from({ length: shards }, (_, n) => `shard-${n}`);
  const recipe = {
    ...{ configuration: "bench", dataset: datasetName, executor, shards },
    ...(learners > 1 ? { learners } : {}),
  };
  try {
    for (const role of shardNames) await enter("shard", role, { role, lane });
    // A shard that ends now would never be heard of.
    if (shards > 0) await Promise.race([told.listening(shardNames), ...members.map(succeeded)]);
    const program = shards === 0 ? "learner-alone" : "learner";
    const first = await enter(program, leader, recipe);
    for (let learner = 1; learner < learners; learner++) {
      await enter("learner", `learner-${learner}`, { ...recipe, learner });
    }
    const others = members.filter((member) => member !== first).map(succeeded);
    const done = Promise.race([succeeded(first), ...others]);
    done.catch(() => undefined);
    const pids = (): number[] => members.map(({ id }) => Number(readFileSync(pidFile(place, id))));
    return await Promise.race([body({ told, shardNames, done, pids }), failure(done)]);
  } finally {
    await Promise.all(members.map((member) => member.stop(stopMs)));
  }
}

/** Trains once, to the registered version. */
export async function trainOnce(jobs: Jobs, place: Place, options: GangOptions): Promise<Training> {
  return withGang(jobs, place, options, async ({ told, shardNames, done }) => {
    await done;
    const usage = await shardUsage(told, shardNames);
    return { summary: await told.training, version: await told.version, ...usage };
  });
}

async function shardUsage({ addresses }: Told, names: readonly string[]) {
  let [shardCpuSeconds, shardMemoryBytes] = [0, 0];
  for (const name of names) {
    const client = { telemetry: silentTelemetry(), actor: "bench" };
    await using shard = connect(ParameterServerService, addresses[name] ?? "", client);
    const { cpuSeconds, peakMemoryBytes } = await shard.stats({}, { timeoutMs: 10_000 });
    shardCpuSeconds += cpuSeconds;
    shardMemoryBytes += Number(peakMemoryBytes);
  }
  return { shardCpuSeconds, shardMemoryBytes };
}

type Program = keyof typeof entries;

/** Starts one program, as the scheduler does. */
export function start(
  jobs: Jobs,
  place: Place,
  services: string,
  program: Program,
  job: string,
  own: object,
): Promise<RunningJob> {
  const { featureStore = services, objects } = place;
  const peers = { registry: services, featureStore };
  const input = { job, fence: 1, scheduler: services, peers, objects, ...own };
  const environment = {
    HEDDLE_BENCH_PID: pidFile(place, job),
    HEDDLE_BENCH_ENTRY: entries[program],
  };
  return jobs.start({ id: job, program, input, environment });
}

const pidFile = ({ logFolder }: Place, job: string): string => join(logFolder, `${job}.pid`);

/** @throws when the job did not end well, with what it said. */
async function succeeded({ id, exited }: RunningJob): Promise<void> {
  const exit = await exited;
  if (exit.kind !== "succeeded") throw new Error(`the ${id} failed: ${exit.message}`);
}

/** Only fails. */
function failure(done: Promise<void>): Promise<never> {
  return new Promise((_, reject) => void done.catch(reject));
}
