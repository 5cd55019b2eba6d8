import type { ServiceParts } from "@heddle/backends";
import { parseStrict } from "@heddle/config";
import type { Jobs } from "@heddle/jobs";
import { type Running, serve } from "@heddle/rpc";
import { startRelay } from "@heddle/store";
import { Limits, type LimitSettings } from "./config.ts";
import { openLiveAttempts } from "./attempts/live-attempts.ts";
import { startLateDriver } from "./driver/late-driver.ts";
import type { Driver } from "./driver/driver.ts";
import { openWaits } from "./driver/waits.ts";
import { connectPeers, type Peers } from "./peers.ts";
import { schedulerService } from "./service.ts";
import { openSlots } from "./attempts/slots.ts";
import { openSchedulerStore } from "./store.ts";

export interface SchedulerDeps extends Omit<ServiceParts, "objects"> {
  /** Runs the programs `dataset`, `learner`, `shard` and `evaluation`. */
  readonly jobs: Jobs;
  readonly peers: Peers;
  /** Where the objects lie, for the jobs: a folder, or an s3:// URL. */
  readonly objectsPlace: string;
  /** Added to every job's environment, e.g. where telemetry goes. */
  readonly jobEnvironment: Readonly<Record<string, string>>;
  readonly limits?: LimitSettings;
}

/**
 * Starts the scheduler: takes over every run that an earlier one left and drives it on. Disposing it
 * stops its jobs; what they did not finish is tried again by the next one.
 */
export async function startScheduler(deps: SchedulerDeps): Promise<Running> {
  const { clock, random, telemetry, eventLog } = deps;
  const config = parseStrict(
    Limits,
    deps.limits ?? {},
    "limits of the scheduler",
    "CONFIG_INVALID",
  );
  await using stack = new AsyncDisposableStack();
  const clients = connectPeers(deps.peers, telemetry, stack);
  const store = openSchedulerStore(deps);
  const live = openLiveAttempts(clock, config);
  const closing = stack.adopt(new AbortController(), (controller) => controller.abort());
  const relay = { service: "scheduler", clock, random, log: telemetry.log };
  stack.use(startRelay(store.outboxes, eventLog, relay));

  const waits = openWaits(store.runs.touch);
  const driving = Promise.withResolvers<Driver>();
  // A call that waits for it hears of it; where none waits nobody must.
  driving.promise.catch(() => undefined);
  const service = schedulerService({
    store,
    clients,
    config,
    clock,
    live,
    waits,
    driver: driving.promise,
    closing: closing.signal,
  });
  const server = stack.use(
    await serve({
      implementations: [service],
      telemetry,
      address: deps.address,
      needs: deps.needs,
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
  const parts = { runs, config, clients, live, waits, surroundings, slots, attemptSeconds };
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
