/** The program of a helping thread: ranks what it is sent, one work at a time. */
import { isHeddleError, messageOf } from "@heddle/base";
import { openExecutor } from "@heddle/executor";
import { openDuckdb } from "@heddle/feature-engine";
import { openScorer } from "@heddle/model";
import { openObjects } from "@heddle/objects";
import { parentPort, workerData } from "node:worker_threads";
import type { RankingAnswer, RankingThreadOptions } from "./ranking-threads.ts";
import { type RankingWork, takeParts, type TakenPart } from "./ranking-work.ts";
import { parquetReader } from "../scoring/reader.ts";
import { openRivals } from "../scoring/rivals.ts";

const { objects: place, readerMemoryBytesMax } = workerData as RankingThreadOptions;

parentPort?.on("message", (work: RankingWork) => {
  void rank(work).then(
    (ranked) => answer({ ranked }),
    (error: unknown) => answer({ failed: failureOf(error) }),
  );
});

function answer(given: RankingAnswer): void {
  parentPort?.postMessage(given);
}

async function rank(work: RankingWork): Promise<readonly TakenPart[]> {
  const objects = await openObjects(place);
  const executor = await openExecutor({ kind: "auto" });
  const memoryBytesMax = readerMemoryBytesMax;
  await using db = await openDuckdb({ threads: 1, memoryBytesMax, tempFolder: "" });
  await using stack = new AsyncDisposableStack();
  const { versions, fallback, rows } = work;
  const rivals = await openRivals(
    versions,
    fallback,
    (manifest) => openScorer({ objects, manifest, executor }),
    stack,
  );
  return await takeParts(work, parquetReader(objects, db), rivals, (scored) => {
    Atomics.add(rows, 0, scored);
  });
}

/** An error object loses its reason on the way to another thread, so the parts go by themselves. */
function failureOf(error: unknown) {
  const message = messageOf(error);
  return isHeddleError(error)
    ? { code: error.code, reason: error.reason, message }
    : { code: "INTERNAL" as const, reason: "RANKING_THREAD_FAILED", message };
}
