import type { Clock } from "@heddle/base";
import { parseStrict } from "@heddle/config";
import type { EventLog } from "@heddle/eventlog";
import type { Jobs } from "@heddle/jobs";
import { EvaluatorService } from "@heddle/proto/evaluator";
import { RegistryService } from "@heddle/proto/registry";
import { SyncService } from "@heddle/proto/sync";
import { connect, type Need, serve } from "@heddle/rpc";
import { type DocumentStore, relayOutbox } from "@heddle/store";
import type { Telemetry } from "@heddle/telemetry";
import { Limits, type LimitSettings } from "./config.ts";
import { openLiveAttempts } from "./live-attempts.ts";
import { startLateDriver } from "./late-driver.ts";
import type { Driver } from "./loops.ts";
import { schedulerService } from "./service.ts";
import { openSlots } from "./slots.ts";
import type { Clients } from "./steps/work.ts";
import { openSchedulerStore, type SchedulerStore } from "./store.ts";

export interface SchedulerDeps {
  readonly store: DocumentStore;
  readonly eventLog: EventLog;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly telemetry: Telemetry;
  /** Runs the programs `dataset`, `learner`, `shard` and `evaluation`. */
  readonly jobs: Jobs;
  /** Addresses, `host:port`; every job gets all of them. */
  readonly peers: Readonly<
    Record<"registry" | "featureStore" | "evaluator" | "sync", string> & Record<string, string>
  >;
  /** Where the objects lie, for the jobs: a folder, or an s3:// URL. */
  readonly objectsPlace: string;
  /** Added to every job's environment, e.g. where telemetry goes. */
  readonly jobEnvironment: Readonly<Record<string, string>>;
  /** `host:port` to listen on; any free port of 127.0.0.1 when absent. */
  readonly address?: string;
  /** What is elsewhere and must be well for the service to be. */
  readonly needs?: readonly Need[];
  readonly limits?: LimitSettings;
}

/** A service that runs until it is disposed. */
export interface Running {
  /** `host:port` it listens on. */
  readonly address: string;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Starts the scheduler: takes over every run that an earlier one left and drives it on. Disposing it
 * stops its jobs; what they did not finish is tried again by the next one.
 */
export async function startScheduler(deps: SchedulerDeps): Promise<Running> {
  const { clock, telemetry } = deps;
  const config = parseStrict(
    Limits,
    deps.limits ?? {},
    "limits of the scheduler",
    "CONFIG_INVALID",
  );
  await using stack = new AsyncDisposableStack();
  const clients = connectPeers(deps, stack);
  const store = openSchedulerStore(deps);
  const live = openLiveAttempts(clock, config);
  const closing = stack.adopt(new AbortController(), (controller) => controller.abort());
  stack.use(startRelay(store, deps));

  const driving = Promise.withResolvers<Driver>();
  // A call that waits for it hears of it; where none waits nobody must.
  driving.promise.catch(() => undefined);
  const service = schedulerService({
    store,
    clients,
    config,
    clock,
    live,
    driver: driving.promise,
    closing: closing.signal,
  });
  const server = stack.use(
    await serve({
      implementations: [service],
      telemetry,
      ...(deps.address === undefined ? {} : { address: deps.address }),
      ...(deps.needs === undefined ? {} : { needs: deps.needs }),
    }),
  );
  const surroundings = { ...deps, scheduler: server.address };
  const slots = openSlots({ cpu: config.cpuSlots, jobs: config.jobsMax });
  const attemptSeconds = telemetry.histogram(
    "heddle.scheduler.attempt.duration",
    "s",
    "wall time of attempts",
  );
  const { runs } = store;
  const parts = { runs, config, clients, live, surroundings, slots, attemptSeconds };
  const late = stack.use(await startLateDriver({ ...deps, ...parts }));
  driving.resolve(late.driver);

  const opened = stack.move();
  return {
    address: server.address,
    [Symbol.asyncDispose]: async () => {
      closing.abort();
      await opened.disposeAsync();
    },
  };
}

function connectPeers({ telemetry, peers }: SchedulerDeps, stack: AsyncDisposableStack): Clients {
  const options = { telemetry, actor: "scheduler" };
  return {
    registry: stack.use(connect(RegistryService, peers.registry, options)),
    evaluator: stack.use(connect(EvaluatorService, peers.evaluator, options)),
    sync: stack.use(connect(SyncService, peers.sync, options)),
  };
}

function startRelay(store: SchedulerStore, deps: SchedulerDeps): AsyncDisposable {
  const { clock, random, telemetry, eventLog } = deps;
  const stop = new AbortController();
  const relay = { service: "scheduler", clock, random, log: telemetry.log };
  const relayed = relayOutbox(store.outboxes, eventLog, relay, stop.signal);
  return {
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await relayed;
    },
  };
}
