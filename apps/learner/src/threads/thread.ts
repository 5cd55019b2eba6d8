import { assert, HeddleError, messageOf } from "@heddle/base";
import { Worker } from "node:worker_threads";
import { type ActivityReader, openActivities, readActivities } from "./activity.ts";
import { errorOf, type Failure } from "./failure.ts";

/** What a thread is asked. Arrays over shared memory cross as they are, all others as copies. */
export interface Call {
  readonly number: number;
  readonly method: string;
  readonly argument: unknown;
}

export type Answer =
  | { readonly number: number; readonly result: unknown }
  | { readonly number: number; readonly failed: Failure };

/** What every thread of a learner is started with. */
export interface ThreadData<Options> {
  readonly options: Options;
  readonly activities: SharedArrayBuffer;
}

export interface ThreadOptions<Options> {
  /** What it is called in errors: `data`, `compute`. */
  readonly name: string;
  /** The module that it runs. */
  readonly entry: URL;
  readonly options: Options;
  /** What it may be busy with, the first one from its start on. */
  readonly activities: readonly string[];
}

/** A thread of this process that answers calls, each in its own time. */
export interface Thread extends AsyncDisposable {
  /**
   * @throws what the method threw there; {HeddleError} UNAVAILABLE LEARNER_THREAD_LOST when the thread ended before it answered.
   */
  call(method: string, argument: unknown): Promise<unknown>;
  readonly activity: ActivityReader;
}

/** How long a thread that is asked to end may take before it is ended. */
const closeMs = 5_000;

/** Starts a thread. It loads its program while the caller goes on; that it could not is learnt from the first call. */
export function openThread<Options>(given: ThreadOptions<Options>): Thread {
  const { name, entry, options } = given;
  const activities = openActivities(given.activities);
  const workerData: ThreadData<Options> = { options, activities };
  const worker = new Worker(entry, { workerData, execArgv: [] });
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  const exited = Promise.withResolvers<void>();
  let numbers = 0;
  let ended: Error | undefined;

  const end = (error: Error): void => {
    ended ??= error;
    for (const { reject } of waiting.values()) reject(ended);
    waiting.clear();
  };
  worker.on("message", (answer: Answer) => {
    const call = waiting.get(answer.number);
    // A thread that was closed may still answer.
    if (call === undefined) return;
    waiting.delete(answer.number);
    if ("failed" in answer) call.reject(errorOf(answer.failed));
    else call.resolve(answer.result);
  });
  worker.on("error", (cause: unknown) => end(lost(name, `failed: ${messageOf(cause)}`, cause)));
  worker.on("exit", (code) => {
    end(lost(name, `ended with code ${code}`));
    exited.resolve();
  });
  return {
    activity: readActivities(given.activities, activities),
    call: (method, argument) => {
      if (ended !== undefined) return Promise.reject(ended);
      const answer = Promise.withResolvers<unknown>();
      // Whoever asked learns of a failure when it awaits; until then nobody does.
      answer.promise.catch(() => undefined);
      const number = (numbers += 1);
      waiting.set(number, answer);
      worker.postMessage({ number, method, argument } satisfies Call);
      return answer.promise;
    },
    [Symbol.asyncDispose]: async () => {
      if (ended === undefined) {
        end(lost(name, "was closed"));
        worker.postMessage(null);
      }
      const late = setTimeout(() => void worker.terminate(), closeMs);
      await exited.promise;
      clearTimeout(late);
      assert(waiting.size === 0, "a thread that ended owes no answer");
    },
  };
}

function lost(name: string, how: string, cause?: unknown): HeddleError {
  return new HeddleError(
    "UNAVAILABLE",
    "LEARNER_THREAD_LOST",
    `the learner's ${name} thread ${how}: the attempt ends, the next one goes on from the last snapshot; the job's log may say more`,
    { cause },
  );
}
