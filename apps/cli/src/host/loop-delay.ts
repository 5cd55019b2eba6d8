import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Telemetry } from "@heddle/telemetry";

/**
 * Each sample wakes the process, which is most of what an idle host does. Fewer would be another percentile: at 50 ms the same run's was twice as
 * high. Samples by turns of the loop (`samplePerIteration`) wake nobody, and see nothing of what runs while sockets are read: all calls.
 */
const resolutionMs = 10;

/**
 * Reports how late the event loop of this process turns: all services share it, so whoever holds it
 * delays every answer. A timer takes a sample each 10 ms. The gauge is the 99th percentile since its
 * last export; that of the host's whole life is logged when it ends.
 */
export function watchLoopDelay({ gauge, log }: Telemetry): Disposable {
  const [recent, life] = [monitored(), monitored()];
  gauge("nodejs.eventloop.delay.p99", "s", "event-loop delay, 99th percentile", () => {
    const p99 = p99Ms(recent) / 1_000;
    recent.reset();
    return p99;
  });
  return {
    [Symbol.dispose]: () => {
      log.info({ p99Ms: p99Ms(life), samples: life.count }, "event loop delay of the host");
      recent.disable();
      life.disable();
    },
  };
}

type Delay = ReturnType<typeof monitorEventLoopDelay>;

function monitored(): Delay {
  const delay = monitorEventLoopDelay({ resolution: resolutionMs });
  delay.enable();
  return delay;
}

/** The monitor counts the wait of its own timer, too, which is no delay. */
function p99Ms(delay: Delay): number {
  return Math.max(0, delay.percentile(99) / 1e6 - resolutionMs);
}
