import { join } from "node:path";
import { systemClock } from "@heddle/base";
import { type Jobs, openProcessJobs, type RunningJob } from "@heddle/jobs";
import { ParameterServerService } from "@heddle/proto/parameter-server";
import type { TrainingSummary } from "@heddle/proto/registry";
import { connect } from "@heddle/rpc";
import { silentTelemetry } from "@heddle/telemetry";
import { startServices, type Told } from "./services.ts";

const apps = join(import.meta.dirname, "../../../apps");
const programs = {
  dataset: { entry: join(apps, "feature-store/src/dataset-job.ts") },
  learner: { entry: join(apps, "learner/src/train-job.ts") },
  shard: { entry: join(apps, "parameter-server/src/shard-job.ts") },
};
const stopMs = 10_000;

/** Where a bench's processes work. */
export interface Place {
  /** `host:port` of the feature store. */
  readonly featureStore: string;
  /** Folder of the object store. */
  readonly objects: string;
  readonly logFolder: string;
  /** What the jobs' environment starts from: PATH and the like. */
  readonly environment: Readonly<Record<string, string>>;
}

/** The programs as the scheduler starts them. */
export function openJobs({ logFolder, environment }: Place): Jobs {
  const clock = systemClock;
  return openProcessJobs({ programs, node: process.execPath, logFolder, environment, clock });
}

/** Builds the training dataset in a process of its own. @returns its name. */
export async function buildDataset(
  jobs: Jobs,
  place: Place,
  definitionJson: string,
  [fromPartition, toPartition]: readonly [string, string],
): Promise<string> {
  await using services = await startServices(definitionJson, "none");
  const job = await start(jobs, place, services.address, "dataset", "dataset", {
    ...{ modelDefinitionJson: definitionJson, fromPartition, toPartition, use: "training" },
  });
  await succeeded(job);
  return (await services.told.outputs)["dataset"] ?? "";
}

/** One training, as its learner and its shards measured it. */
export interface Training {
  readonly summary: TrainingSummary;
  /** Of all shards, at the end. */
  readonly shardCpuSeconds: number;
  readonly shardMemoryBytes: number;
}

export interface GangOptions {
  /** Unique in the object store. */
  readonly run: string;
  readonly definitionJson: string;
  readonly dataset: string;
  readonly executor: "auto" | "tfjs";
  readonly shards: number;
}

/** Trains once, in fresh processes: shards and a learner over gRPC, as the scheduler would start them. */
export async function trainOnce(jobs: Jobs, place: Place, options: GangOptions): Promise<Training> {
  const { run, definitionJson, dataset, executor, shards } = options;
  await using services = await startServices(definitionJson, run);
  const { told, address } = services;
  const names = Array.from({ length: shards }, (_, n) => `shard-${n}`);
  const gang = await Promise.all(
    names.map((role) => start(jobs, place, address, "shard", role, { role })),
  );
  try {
    await Promise.race([told.listening(names), ...gang.map(succeeded)]);
    const learner = await start(jobs, place, address, "learner", "learner", {
      ...{ configuration: "bench", dataset, shards, executor },
    });
    await succeeded(learner);
    return { summary: await told.training, ...(await shardUsage(told, names)) };
  } finally {
    for (const shard of gang) await shard.stop(stopMs);
  }
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

/** Starts one program, as the scheduler does. */
export function start(
  jobs: Jobs,
  { featureStore, objects }: Place,
  services: string,
  program: string,
  job: string,
  own: object,
): Promise<RunningJob> {
  const peers = { registry: services, featureStore };
  const input = { job, fence: 1, scheduler: services, peers, objects, ...own };
  return jobs.start({ id: job, program, input, environment: {} });
}

/** @throws when the job did not end well, with what it said. */
async function succeeded({ id, exited }: RunningJob): Promise<void> {
  const exit = await exited;
  if (exit.kind !== "succeeded") throw new Error(`the ${id} failed: ${exit.message}`);
}
