/** The thread that ends an orphaned process while its main thread computes. */
import { workerData } from "node:worker_threads";
import type { WatchOrders } from "./exit-with-parent.ts";

const { parent, everyMs } = workerData as WatchOrders;
const look = (): void => {
  if (process.ppid !== parent) process.kill(process.pid, "SIGKILL");
};
look();
setInterval(look, everyMs);
