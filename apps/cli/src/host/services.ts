import { fork } from "node:child_process";
import { mkdirSync, openSync } from "node:fs";
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

export interface Services extends AsyncDisposable {
  readonly addresses: Addresses;
}

const apps = join(import.meta.dirname, "../../..");

/** Programs that the scheduler starts as jobs. */
const programs = {
  dataset: { entry: join(apps, "feature-store/src/dataset-job.ts") },
  learner: { entry: join(apps, "learner/src/train-job.ts") },
  shard: { entry: join(apps, "parameter-server/src/shard-job.ts") },
  evaluation: { entry: join(apps, "evaluator/src/evaluation-job.ts") },
};

/** Opens the embedded backends on one state folder and starts every service over them, each on a port of its own. */
export async function startServices(state: string): Promise<Services> {
  await using stack = new AsyncDisposableStack();
  const folder = (name: string): string => {
    const path = join(state, name);
    mkdirSync(path, { recursive: true });
    return path;
  };
  const clock = systemClock;
  const random = Math.random;
  const own = <T extends AsyncDisposable>(resource: T): T => stack.use(resource);
  const telemetryOf = async (service: string): Promise<Telemetry> =>
    own(
      await startTelemetry({
        service,
        folder: folder("telemetry"),
        logFile: join(folder("logs"), `${service}.log`),
        ...(process.env["HEDDLE_OTLP_ENDPOINT"] === undefined
          ? {}
          : { otlpEndpoint: process.env["HEDDLE_OTLP_ENDPOINT"] }),
      }),
    );

  const environment = own(
    openLmdbEnvironment({ path: folder("store"), mapBytesMax: storeBytesMax }),
  );
  const eventLog = own(openLocalLog(environment, { clock, random }));
  const online = own(openLmdbOnline(environment));
  const objects = await openFileObjects({ path: folder("objects") });
  const storeOf = (service: string) => openLmdbStore(environment, service);
  const common = { clock, random, eventLog, objects };

  const peers: { -readonly [K in keyof Addresses]?: string } = {};
  const address = (name: keyof Addresses) => (): string => {
    const known = peers[name];
    if (known !== undefined) return known;
    throw new HeddleError("UNAVAILABLE", "PEER_NOT_STARTED", `${name} has not started yet`);
  };

  const registry = own(
    await startRegistry({
      ...common,
      store: storeOf("registry"),
      telemetry: await telemetryOf("registry"),
      peers: { featureStore: address("featureStore") },
    }),
  );
  peers.registry = registry.address;
  const featureStore = own(
    await startFeatureStore({
      ...common,
      store: storeOf("feature-store"),
      online,
      telemetry: await telemetryOf("feature-store"),
      stateFolder: folder("feature-store"),
      pseudonymKeyFile: join(state, "pseudonym.key"),
    }),
  );
  peers.featureStore = featureStore.address;
  const evaluator = own(
    await startEvaluator({
      ...common,
      store: storeOf("evaluator"),
      telemetry: await telemetryOf("evaluator"),
      peers: { registry: registry.address },
    }),
  );
  peers.evaluator = evaluator.address;
  const modelServer = own(await startModelServerChild(state));
  peers.modelServer = modelServer.address;
  const sync = own(
    await startSync({
      ...common,
      store: storeOf("sync"),
      telemetry: await telemetryOf("sync"),
      peers: { registry: registry.address, modelServer: modelServer.address },
    }),
  );
  peers.sync = sync.address;
  const jobs = own(
    openProcessJobs({ programs, node: process.execPath, logFolder: folder("logs/jobs"), clock }),
  );
  const scheduler = own(
    await startScheduler({
      ...common,
      store: storeOf("scheduler"),
      telemetry: await telemetryOf("scheduler"),
      jobs,
      peers: {
        registry: registry.address,
        featureStore: featureStore.address,
        evaluator: evaluator.address,
        sync: sync.address,
      },
    }),
  );
  peers.scheduler = scheduler.address;

  const opened = stack.move();
  return {
    addresses: peers as Addresses,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
