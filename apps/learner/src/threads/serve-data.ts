import { present } from "@heddle/base";
import type { DatasetColumn } from "@heddle/feature-engine";
import type { Batches } from "../data/batches.ts";
import { type Examples, localExamples } from "../data/examples.ts";
import type { ExampleReader } from "../data/reader.ts";
import {
  type BatchesWork,
  type CutBatch,
  dataActivities,
  type DatasetWork,
  type FitWork,
  type GoldenWork,
  type NextWork,
} from "./data-thread.ts";
import { serveThread, threadActivities } from "./serve.ts";
import { openSharedMemory } from "./shared-memory.ts";

/** Where a data thread's rows come from. */
export interface DataSource extends AsyncDisposable {
  reader(columns: readonly DatasetColumn[]): ExampleReader;
}

/** Serves the rows of a source to the learner's main thread. */
export function serveData(opening: Promise<DataSource>): void {
  const activities = threadActivities();
  const ended = new AbortController();
  const { signal } = ended;
  let memory = openSharedMemory();
  let examples: Examples | undefined;
  let batches: Batches | undefined;
  let cut: Promise<unknown> = Promise.resolve();

  const stages = {
    work: <T>(_stage: string, work: () => T): T => {
      const before = activities.turnTo(dataActivities.indexOf("transform"));
      try {
        return work();
      } finally {
        activities.turnTo(before);
      }
    },
  };
  const opened = (): Examples => present(examples, "an opened dataset");
  const next = async (work: NextWork): Promise<CutBatch | undefined> => {
    memory = openSharedMemory(work.memory);
    const batch = await present(batches, "opened batches").next(signal);
    return batch && { batch, memory: memory.buffer };
  };
  const methods = {
    fit: ({ inputs }: FitWork) => opened().fit(inputs, signal),
    golden: ({ features, seed }: GoldenWork) => opened().golden(features, seed, signal),
    batches: ({ plan, from }: BatchesWork) => {
      batches = opened().batches(plan, from, stages);
    },
    // One after the other, as they were asked for.
    next: (work: NextWork) => {
      const own = cut.then(() => next(work));
      cut = own.catch(() => undefined);
      return own;
    },
  };
  serveThread(
    opening.then((source) => ({
      ...methods,
      dataset: ({ columns, partitions }: DatasetWork) => {
        examples = localExamples(source.reader(columns), partitions, () => memory);
      },
    })),
    activities,
    async () => {
      ended.abort();
      await cut;
      await (await opening)[Symbol.asyncDispose]();
    },
  );
}
