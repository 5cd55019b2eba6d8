import { Worker } from "node:worker_threads";
import { parentVariable } from "./protocol.ts";

/** What the watching thread is told. */
export interface WatchOrders {
  readonly parent: number;
  readonly everyMs: number;
}

const watchEveryMs = 250;

/**
 * Makes this process die within a second of its parent. The loss of the channel is noticed at once;
 * a thread that looks at the parent's id four times a second does it while the main thread computes.
 * A process without such a parent (a container, a shell) is left alone.
 */
export function exitWithParent(host: NodeJS.Process = process): void {
  const parent = Number(host.env[parentVariable]);
  if (!Number.isInteger(parent) || parent <= 0) return;
  // SIGKILL, for nothing that this process still does may count: its successor is fenced in already.
  host.once("disconnect", () => host.kill(host.pid, "SIGKILL"));
  const orders: WatchOrders = { parent, everyMs: watchEveryMs };
  const watch = new Worker(new URL("./parent-watch.ts", import.meta.url), {
    workerData: orders,
    env: {},
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2, stackSizeMb: 1 },
  });
  watch.unref();
}
