import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { HeddleError, systemClock } from "@heddle/base";
import { startEvaluator } from "@heddle/evaluator";
import { openLocalLog } from "@heddle/eventlog";
import { startFeatureStore } from "@heddle/feature-store";
import { openProcessJobs } from "@heddle/jobs";
import { openFileObjects } from "@heddle/objects";
import { openLmdbOnline } from "@heddle/online";
import { startRegistry } from "@heddle/registry";
import { startScheduler } from "@heddle/scheduler";
import { openLmdbEnvironment, openLmdbStore } from "@heddle/store";
import { startSync } from "@heddle/sync";
import { startTelemetry, type Telemetry } from "@heddle/telemetry";
import type { Addresses } from "./clients.ts";
import { startModelServerChild } from "./model-server-child.ts";

export interface Services extends AsyncDisposable {
  readonly addresses: Addresses;
}

export interface ServicesOptions {
  /** Folder of all state. */
  readonly state: string;
  /** Where traces and metrics go instead of files in the state folder. */
  readonly otlpEndpoint?: string;
}

const apps = join(import.meta.dirname, "../../..");
const storeBytesMax = 16 * 1024 ** 3;

/** Programs that the scheduler starts as jobs. */
const programs = {
  dataset: { entry: join(apps, "feature-store/src/dataset-job.ts") },
  learner: { entry: join(apps, "learner/src/train-job.ts") },
  shard: { entry: join(apps, "parameter-server/src/shard-job.ts") },
  evaluation: { entry: join(apps, "evaluator/src/evaluation-job.ts") },
};

/** What a job or the model server needs of this process's environment to run at all. */
const passedOn = ["PATH", "HOME", "TMPDIR", "HEDDLE_FAILPOINT"];

/** Opens the embedded backends on one state folder and starts every service over them, each on a port of its own. */
export async function startServices(options: ServicesOptions): Promise<Services> {
  await using stack = new AsyncDisposableStack();
  const folder = (name: string): string => {
    const path = join(options.state, name);
    mkdirSync(path, { recursive: true });
    return path;
  };
  const clock = systemClock;
  const random = Math.random;
  const telemetryOf = telemetryInto(options, folder, stack);
  const environment = stack.use(
    openLmdbEnvironment({ path: folder("store"), mapBytesMax: storeBytesMax }),
  );
  const eventLog = stack.use(openLocalLog(environment, { clock, random }));
  const objects = await openFileObjects({ path: folder("objects") });
  const of = async (service: string) => ({
    store: openLmdbStore(environment, service),
    telemetry: await telemetryOf(service),
    ...{ eventLog, objects, clock, random },
  });
  // The registry asks the feature store, which starts after it, only when a call needs it.
  const later: { featureStore?: string } = {};

  const registry = stack.use(
    await startRegistry({
      ...(await of("registry")),
      peers: { featureStore: () => started(later.featureStore, "feature-store") },
    }),
  );
  const featureStore = stack.use(
    await startFeatureStore({
      ...(await of("feature-store")),
      online: stack.use(openLmdbOnline(environment)),
      stateFolder: folder("feature-store"),
      pseudonymKeyFile: join(options.state, "pseudonym.key"),
    }),
  );
  later.featureStore = featureStore.address;
  const evaluator = stack.use(
    await startEvaluator({
      ...(await of("evaluator")),
      peers: { registry: registry.address },
    }),
  );
  const host = await telemetryOf("host");
  const modelServer = stack.use(await startModelServerChild(options, host.log));
  const sync = stack.use(
    await startSync({
      ...(await of("sync")),
      peers: { registry: registry.address, modelServer: () => modelServer.address },
    }),
  );
  const peers = {
    registry: registry.address,
    featureStore: featureStore.address,
    evaluator: evaluator.address,
    sync: sync.address,
  };
  const logFolder = folder("logs/jobs");
  const jobs = stack.use(
    openProcessJobs({
      programs,
      node: process.execPath,
      logFolder,
      environment: inherited(),
      clock,
    }),
  );
  const scheduler = stack.use(
    await startScheduler({
      ...(await of("scheduler")),
      ...{ jobs, peers, jobEnvironment: telemetryEnvironment(options) },
      objectsFolder: folder("objects"),
    }),
  );
  const opened = stack.move();
  return {
    addresses: { ...peers, modelServer: modelServer.address, scheduler: scheduler.address },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

function telemetryInto(
  { otlpEndpoint }: ServicesOptions,
  folder: (name: string) => string,
  stack: AsyncDisposableStack,
): (service: string) => Promise<Telemetry> {
  return async (service) =>
    stack.use(
      await startTelemetry({
        service,
        folder: folder("telemetry"),
        logFile: join(folder("logs"), `${service}.log`),
        ...(otlpEndpoint === undefined ? {} : { otlpEndpoint }),
      }),
    );
}

function telemetryEnvironment({ state, otlpEndpoint }: ServicesOptions): Record<string, string> {
  return {
    HEDDLE_TELEMETRY_FOLDER: join(state, "telemetry"),
    ...(otlpEndpoint === undefined ? {} : { HEDDLE_OTLP_ENDPOINT: otlpEndpoint }),
  };
}

function inherited(): Record<string, string> {
  const pairs = passedOn.map((name) => [name, process.env[name]] as const);
  return Object.fromEntries(
    pairs.filter((pair): pair is [string, string] => pair[1] !== undefined),
  );
}

function started(address: string | undefined, service: string): string {
  if (address !== undefined) return address;
  throw new HeddleError("UNAVAILABLE", "PEER_NOT_STARTED", `the ${service} has not started yet`);
}
