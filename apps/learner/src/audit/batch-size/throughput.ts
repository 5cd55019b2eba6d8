import { type Spread, spreadOf } from "./choose.ts";
import { rowsOf } from "./rows.ts";
import { type SizedTraining, trainOnce } from "./train-size.ts";

/** Examples trained in a unit of time. */
export interface Throughput {
  readonly perSecond: Spread;
  readonly perCpuSecond: Spread;
}

export interface Rounds {
  readonly rounds: number;
  readonly onTraining?: (batchSize: number, what: "throughput") => void;
}

/**
 * Times trainings by turns, every other round from the largest down, so that what else the machine does falls on all of them. All have
 * trained before, so nothing is compiled any more.
 *
 * @returns by batch size.
 */
export async function throughputOf(
  trainings: readonly SizedTraining[],
  { rounds, onTraining }: Rounds,
  signal: AbortSignal,
): Promise<ReadonlyMap<number, Throughput>> {
  const took = new Map<number, { perSecond: number[]; perCpuSecond: number[] }>();
  for (let round = 0; round < rounds; round++) {
    for (const training of round % 2 === 0 ? trainings : trainings.toReversed()) {
      const { batchSize, rows } = training;
      onTraining?.(batchSize, "throughput");
      const { seconds, cpuSeconds } = await trainOnce(training, signal);
      const of = took.get(batchSize) ?? { perSecond: [], perCpuSecond: [] };
      of.perSecond.push(rowsOf(rows) / seconds);
      of.perCpuSecond.push(rowsOf(rows) / cpuSeconds);
      took.set(batchSize, of);
    }
  }
  return new Map(
    [...took].map(([batchSize, { perSecond, perCpuSecond }]) => [
      batchSize,
      { perSecond: spreadOf(perSecond), perCpuSecond: spreadOf(perCpuSecond) },
    ]),
  );
}
