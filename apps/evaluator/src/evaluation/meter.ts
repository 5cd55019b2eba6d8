import type { EvaluationDeps } from "./deps.ts";

/** How much of the datasets is scored, by all threads. */
export interface Meter {
  /** Times work that scores a dataset. */
  score<T>(rows: number, work: () => Promise<T>): Promise<T>;
  /** Says that rows are done, to be called where the process's memory is shared too. */
  add(rows: number): void;
  /** Rows scored, which other threads add to; shape [1]. */
  readonly rows: Int32Array<SharedArrayBuffer>;
  /** Rows that one version scored, for each second of CPU of this process while datasets were read and scored. */
  rowsPerCpuSecond(): number;
}

/** @param rowsTotal rows of all datasets that will be read, for the progress. */
export function openMeter(
  { scheduler, telemetry, cpuSeconds }: EvaluationDeps,
  versions: number,
  rowsTotal: number,
): Meter {
  const rows = new Int32Array(new SharedArrayBuffer(4));
  let seconds = 0;
  return {
    rows,
    score: (rows, work) =>
      telemetry.span("score", { attributes: { rows } }, async () => {
        const start = cpuSeconds();
        const result = await work();
        seconds += cpuSeconds() - start;
        return result;
      }),
    add: (done) => {
      scheduler.progress(Atomics.add(rows, 0, done) + done, rowsTotal, "rows");
    },
    rowsPerCpuSecond: () => (seconds > 0 ? (Atomics.load(rows, 0) * versions) / seconds : 0),
  };
}
