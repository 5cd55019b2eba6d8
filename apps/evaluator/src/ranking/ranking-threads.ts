import { type ErrorCode, HeddleError } from "@heddle/base";
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { RankingThread, RankingWork, TakenPart } from "./ranking-work.ts";

/** What a helping thread is opened with. */
export interface RankingThreadOptions {
  /** Where the objects lie: a folder, or an s3:// URL. */
  readonly objects: string;
  readonly readerMemoryBytesMax: number;
}

/** What a helping thread answers to its work. */
export type RankingAnswer =
  | { readonly ranked: readonly TakenPart[] }
  | { readonly failed: { readonly code: ErrorCode; readonly reason: string; message: string } };

/**
 * Opens threads that help this process to rank. Each reads, transforms and scores by itself; it loads
 * its programs while the caller goes on.
 *
 * @param count how many threads beside the caller's.
 */
export function openRankingThreads(
  count: number,
  options: RankingThreadOptions,
): { readonly threads: readonly RankingThread[] } & AsyncDisposable {
  const workers = Array.from({ length: count }, () => {
    const entry = new URL("./ranking-thread.ts", import.meta.url);
    const worker = new Worker(entry, { workerData: options, execArgv: [] });
    // A thread that fails while nobody waits for it is noticed by the next who does.
    worker.on("error", () => {});
    worker.unref();
    return worker;
  });
  return {
    threads: workers.map((worker) => ({ rank: (work) => rankBy(worker, work) })),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}

async function rankBy(worker: Worker, work: RankingWork): Promise<readonly TakenPart[]> {
  const ended = new AbortController();
  const { signal } = ended;
  try {
    const answered = once(worker, "message", { signal }) as Promise<[RankingAnswer]>;
    const exited = once(worker, "exit", { signal }).then(() => {
      throw new Error("a thread that ranks ended before its work was done");
    });
    worker.postMessage(work);
    const [answer] = await Promise.race([answered, exited]);
    if ("ranked" in answer) return answer.ranked;
    const { code, reason, message } = answer.failed;
    throw new HeddleError(code, reason, message);
  } finally {
    ended.abort();
  }
}
