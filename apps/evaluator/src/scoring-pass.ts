import type { ExampleBatch } from "@heddle/transform";
import type { EvaluationDeps } from "./deps.ts";
import type { GrantedDataset } from "./reader.ts";
import { featuresOf, type Rivals, scoreRows, type Scores } from "./scores.ts";
import type { Slicer } from "./slices.ts";

/** Reads and scores datasets piece by piece; what is done with a piece is the caller's. */
export interface ScoringPass {
  readonly withLive: boolean;
  run(
    dataset: GrantedDataset,
    signal: AbortSignal,
    use: (batch: ExampleBatch, scores: Scores) => void,
    startPartition?: () => void,
  ): Promise<void>;
  /** Rows that one version scored, for each second of CPU of this process while versions scored. */
  rowsPerCpuSecond(): number;
}

/** @param rowsTotal rows of all datasets it will read, for the progress. */
export function openPass(
  { reader, scheduler, telemetry, cpuSeconds }: EvaluationDeps,
  rivals: Rivals,
  slicers: readonly Slicer[],
  rowsTotal: number,
): ScoringPass {
  const features = [...featuresOf(rivals), ...slicers.flatMap((slicer) => slicer.features)];
  const versions = rivals.live === undefined ? 1 : 2;
  let [rowsDone, seconds] = [0, 0];
  const score = async (batch: ExampleBatch): Promise<Scores> => {
    const start = cpuSeconds();
    const scores = await scoreRows(rivals, batch);
    seconds += cpuSeconds() - start;
    rowsDone += batch.rows;
    return scores;
  };
  return {
    withLive: rivals.live !== undefined,
    run: (dataset, signal, use, startPartition) =>
      telemetry.span("score", { attributes: { rows: dataset.rows } }, async () => {
        for (const partition of dataset.partitions.keys()) {
          startPartition?.();
          for await (const batch of reader.read(dataset, partition, features)) {
            signal.throwIfAborted();
            use(batch, await score(batch));
            scheduler.progress(rowsDone, rowsTotal, "rows");
          }
        }
      }),
    rowsPerCpuSecond: () => (seconds > 0 ? (rowsDone * versions) / seconds : 0),
  };
}
