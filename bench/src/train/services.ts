import { present } from "@heddle/base";
import { FeatureStoreService } from "@heddle/proto/feature-store";
import {
  type CreateRunRequest,
  type RegisterVersionRequest,
  RegistryService,
  type TrainingSummary,
} from "@heddle/proto/registry";
import {
  type CompleteRequest,
  type HeartbeatRequest,
  SchedulerService,
} from "@heddle/proto/scheduler";
import { implementSome, serve } from "@heddle/rpc";
import { silentTelemetry } from "@heddle/telemetry";

/** The learner whose progress is that of the gang, and whose result counts. */
export const leader = "learner";
/** A job beats three times in it: often enough to look at a training of seconds, and long enough for a main thread that is busy. */
const leaseMs = 1_500;

/** What jobs of a round told their services. */
export interface Told {
  /** Where jobs listen, by job id, and who waits for the next. */
  readonly addresses: Readonly<Record<string, string>>;
  /** Resolves when every one of these jobs listens. */
  listening(jobs: readonly string[]): Promise<void>;
  /** Resolves when a learner asks for its data: all is set up, nothing is read. Only where the services have a dataset. */
  readonly reading: Promise<void>;
  /** Calls `on` with the examples trained so far, as each of the learner's heartbeats says it. */
  progress(on: (examples: number) => void): Disposable;
  /** Outputs of the job that completes. */
  readonly outputs: Promise<Readonly<Record<string, string>>>;
  /** What the learner measured of its training. */
  readonly training: Promise<TrainingSummary>;
  /** Where the version's manifest is. */
  readonly version: Promise<{ readonly name: string; readonly sha256: string }>;
}

/** What the services of a round hand out. */
export interface Given {
  /** The configuration that is asked for. */
  readonly definitionJson: string;
  /** Name of the run: its objects lie under it, so another round needs another. */
  readonly run: string;
  /** Manifest of a dataset that learners may read, when no feature store has it. */
  readonly dataset?: object;
}

/**
 * A registry and a scheduler that keep one round's facts in memory, served on one port. Every round so begins from
 * nothing, where real ones would hand out the version that the same recipe made before.
 */
export async function startServices({ definitionJson, run, dataset }: Given) {
  const addresses: Record<string, string> = {};
  const waiting = new Set<() => void>();
  const following = new Set<(examples: number) => void>();
  const reading = Promise.withResolvers<void>();
  const outputs = Promise.withResolvers<Readonly<Record<string, string>>>();
  const training = Promise.withResolvers<TrainingSummary>();
  const version = Promise.withResolvers<{ name: string; sha256: string }>();
  const registry = implementSome(RegistryService, {
    getConfiguration: async () => ({ definitionJson }),
    createRun: async ({ recipe }: CreateRunRequest) => ({ run, state: { run, recipe } }),
    recordSnapshot: async () => ({}),
    registerVersion: async (request: RegisterVersionRequest) => {
      const manifest = present(request.manifest, "a manifest");
      training.resolve(present(request.training, "a training's summary"));
      version.resolve(manifest);
      return { version: manifest.sha256, number: 1 };
    },
  });
  const scheduler = implementSome(SchedulerService, {
    heartbeat: async ({ job, address, progress }: HeartbeatRequest) => {
      if (address !== "") addresses[job] = address;
      for (const look of waiting) look();
      if (job === leader && progress) for (const on of following) on(Number(progress.done));
      return { leaseMs };
    },
    awaitGang: async () => ({ addresses }),
    complete: async (request: CompleteRequest) => {
      outputs.resolve(request.outputs);
      return {};
    },
  });
  const featureStore = implementSome(FeatureStoreService, {
    grantRead: async () => {
      reading.resolve();
      return { grantId: "bench", manifest: dataset };
    },
  });
  const server = await serve({
    implementations: [registry, scheduler, ...(dataset === undefined ? [] : [featureStore])],
    telemetry: silentTelemetry(),
  });
  const told: Told = {
    addresses,
    listening: (jobs) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (jobs.every((job) => job in addresses)) resolve();
        };
        waiting.add(look);
        look();
      }),
    reading: reading.promise,
    progress: (on) => {
      following.add(on);
      return { [Symbol.dispose]: () => void following.delete(on) };
    },
    outputs: outputs.promise,
    training: training.promise,
    version: version.promise,
  };
  return { ...server, told };
}
