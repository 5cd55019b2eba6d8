import { present } from "@heddle/base";
import { parentPort, workerData } from "node:worker_threads";
import { type Activities, writeActivities } from "./activity.ts";
import { failureOf } from "./failure.ts";
import type { Answer, Call, ThreadData } from "./thread.ts";

/** What a thread does when it is asked to. */
export type Methods = Readonly<Record<string, (argument: never) => unknown>>;

/** What this thread was started with. */
export function threadOptions<Options>(): Options {
  return (workerData as ThreadData<Options>).options;
}

/** Tells the other threads what this one is busy with; to be opened once. */
export function threadActivities(): Activities {
  return writeActivities((workerData as ThreadData<unknown>).activities);
}

/**
 * Answers the calls of `openThread`, until it is closed.
 *
 * @param opening resolves to the methods; calls wait for it, and a failure is the answer to all of them.
 * @param activities brought up to date with each answer.
 * @param close frees what the methods hold; then the thread ends by itself.
 */
export function serveThread(
  opening: Promise<Methods>,
  activities: Activities,
  close: () => Promise<void>,
): void {
  const port = present(parentPort, "the port of a worker thread");
  opening.catch(() => undefined);
  const answer = async ({ number, method, argument }: Call): Promise<Answer> => {
    try {
      const run = present((await opening)[method], `method ${method}`);
      return { number, result: await run(argument as never) };
    } catch (error) {
      return { number, failed: failureOf(error) };
    }
  };
  port.on("message", (call: Call | null) => {
    if (call !== null) {
      void answer(call).then((given) => {
        activities.settle();
        port.postMessage(given);
      });
      return;
    }
    port.close();
    // A failure to free is the thread's failure: it is uncaught, and the opener learns of it.
    void close();
  });
}
