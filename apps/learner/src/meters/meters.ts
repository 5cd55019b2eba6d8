import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Clock } from "@heddle/base";
import type { Telemetry } from "@heddle/telemetry";
import { openQueues, queueNames, type Queues } from "./queues.ts";
import { stageNames, type Stages, type ThreadTimes } from "./stages.ts";
import type { Thread } from "../threads/thread.ts";

/** What a learner measures of itself. */
export interface Meters {
  readonly queues: Queues;
  /** How long its threads have been at work. */
  readonly times: ThreadTimes;
  /** CPU seconds by what spent them; they sum to those of the process. */
  cpuSeconds(): Readonly<Record<string, number>>;
  /** How late this thread's event loop turns, 99th percentile. */
  loopDelayP99Ms(): number;
}

/** The threads of a learner; what has none is done by the main thread. */
export interface LearnerThreads {
  readonly data?: Thread | undefined;
  readonly compute?: Thread | undefined;
}

/** A timer takes a sample each 10 ms; its own wait is in what the monitor tells, and is no delay. */
const resolutionMs = 10;

/** Opens the meters; called by the main thread, whose CPU and event loop they measure. */
export function openMeters(
  clock: Clock,
  { data, compute }: LearnerThreads,
  queues: Queues = openQueues(clock),
): Meters & Disposable {
  const delay = monitorEventLoopDelay({ resolution: resolutionMs });
  delay.enable();
  return {
    queues,
    times: {
      ...(data && { transformedMs: () => data.activity.busy("transform").wallMs }),
      ...(compute && { computedMs: () => compute.activity.busy("compute").wallMs }),
    },
    cpuSeconds: () => {
      const main = secondsOf(process.threadCpuUsage());
      const read = (data?.activity.busy("read").cpuMs ?? 0) / 1_000;
      const transform = (data?.activity.busy("transform").cpuMs ?? 0) / 1_000;
      const computing = (compute?.activity.cpuMs() ?? 0) / 1_000;
      const libraries = secondsOf(process.cpuUsage()) - main - read - transform - computing;
      return { read, transform, compute: computing, main, libraries: Math.max(0, libraries) };
    },
    loopDelayP99Ms: () => Math.max(0, delay.percentile(99) / 1e6 - resolutionMs),
    [Symbol.dispose]: () => {
      delay.disable();
    },
  };
}

/** Reports shares and queues each time metrics are exported. */
export function gaugeMeters(
  { gauge }: Telemetry,
  { queues, loopDelayP99Ms }: Meters,
  stages: Stages,
): void {
  for (const stage of stageNames) {
    gauge(
      `heddle.learner.stage.${stage}`,
      "1",
      `share of the computing thread's wall time: ${stage}`,
      () => stages.shares()[stage],
    );
  }
  for (const name of queueNames) {
    gauge(`heddle.learner.queue.${name}`, "1", `things in the queue: ${name}`, queues[name].now);
  }
  gauge(
    "heddle.learner.eventloop.delay.p99",
    "s",
    "event-loop delay of the main thread, 99th percentile",
    () => loopDelayP99Ms() / 1_000,
  );
}

const secondsOf = ({ user, system }: NodeJS.CpuUsage): number => (user + system) / 1e6;
