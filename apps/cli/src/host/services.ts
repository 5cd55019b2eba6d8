import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { openBackends, type Places } from "@heddle/backends";
import { systemClock } from "@heddle/base";
import { startEvaluator } from "@heddle/evaluator";
import { startFeatureStore } from "@heddle/feature-store";
import { openProcessJobs, passedOn } from "@heddle/jobs";
import { objectVariables } from "@heddle/objects";
import { startRegistry } from "@heddle/registry";
import { startScheduler } from "@heddle/scheduler";
import { startSync } from "@heddle/sync";
import {
  startTelemetry,
  type Telemetry,
  type TelemetryPlace,
  telemetryVariables,
} from "@heddle/telemetry";
import type { Addresses } from "./clients.ts";
import { watchLoopDelay } from "./loop-delay.ts";
import { startModelServerChild } from "./model-server-child.ts";
import { programs } from "./programs.ts";

export interface Services extends AsyncDisposable {
  readonly addresses: Addresses;
}

export interface ServicesOptions {
  /** Folder of all state. */
  readonly state: string;
  /** Where traces and metrics go, and how many. */
  readonly telemetry: TelemetryPlace;
  /** Where documents, events and objects are kept. */
  readonly places: Places;
}

/** What a job or the model server needs of this process's environment to run at all. */
const inherited = [
  ...["PATH", "HOME", "TMPDIR", "NODE_COMPILE_CACHE", "HEDDLE_FAILPOINT"],
  ...objectVariables,
];

/** Opens the backends and starts every service over them, each on a port of its own. */
export async function startServices(options: ServicesOptions): Promise<Services> {
  await using stack = new AsyncDisposableStack();
  const { state, places } = options;
  const { objects } = places;
  const { backends, of } = await openParts(options, stack);
  const { telemetry } = await of("host");
  // A process of its own, it loads while the services start. What goes wrong is heard where it is waited for.
  const modelServerStarts = startModelServerChild({ ...options, objects }, telemetry.log);
  const modelServerStarted = modelServerStarts.catch(() => undefined);
  stack.defer(async () => (await modelServerStarted)?.[Symbol.asyncDispose]());
  // First, because it knows documents that another host keeps by its pseudonym key: no relay, loop or run of this one touches them.
  const featureStore = stack.use(
    await startFeatureStore({
      ...backends.withOnline(await of("feature-store")),
      stateFolder: folderOf(state, "feature-store"),
      pseudonymKeyFile: join(state, "pseudonym.key"),
    }),
  );
  const registry = stack.use(
    await startRegistry({
      ...(await of("registry")),
      peers: { featureStore: () => featureStore.address },
    }),
  );
  const evaluator = stack.use(
    await startEvaluator({ ...(await of("evaluator")), peers: { registry: registry.address } }),
  );
  stack.use(watchLoopDelay(telemetry));
  const modelServer = await modelServerStarts;
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
  const scheduler = stack.use(
    await startScheduler({
      ...(await of("scheduler")),
      ...{
        peers,
        jobs: stack.use(openJobs(state)),
        jobEnvironment: telemetryVariables(options.telemetry),
      },
      objectsPlace: objects,
    }),
  );
  const opened = stack.move();
  return {
    addresses: { ...peers, modelServer: modelServer.address, scheduler: scheduler.address },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** The backends, and what each service gets of them. */
async function openParts(
  { state, telemetry: place, places }: ServicesOptions,
  stack: AsyncDisposableStack,
) {
  const clock = systemClock;
  const random = Math.random;
  const backends = stack.use(await openBackends(places, { clock, random }));
  const telemetryOf = async (service: string): Promise<Telemetry> =>
    stack.use(
      await startTelemetry({
        ...{ service, ...place },
        logFile: join(folderOf(state, "logs"), `${service}.log`),
      }),
    );
  const of = async (service: string) => {
    const telemetry = await telemetryOf(service);
    return { ...backends.portsOf(service, telemetry), telemetry, clock, random };
  };
  return { backends, of };
}

function openJobs(state: string) {
  return openProcessJobs({
    programs,
    node: process.execPath,
    logFolder: folderOf(state, "logs/jobs"),
    environment: passedOn(inherited),
    clock: systemClock,
  });
}

function folderOf(state: string, name: string): string {
  const path = join(state, name);
  mkdirSync(path, { recursive: true });
  return path;
}
