import { create } from "@bufbuild/protobuf";
import { type Metric, MetricSchema } from "@heddle/proto/evaluator";
import {
  difference,
  type Interval,
  intervalOf,
  resample,
  type Resampled,
  type Resampling,
  type Statistic,
} from "@heddle/statistics";
import type { Scores } from "./scores.ts";

/** A metric to be measured for every rival that it has a meaning for. */
export interface Measurement {
  readonly name: string;
  readonly slice: string;
  /** Rows, or visits, behind it. */
  readonly count: number;
  readonly positives: number;
  /** Absent when too few positives are behind it. */
  readonly statistics?: { readonly [Rival in keyof Scores]?: Statistic };
}

/** Resamples all measurements over the same draws and gives each its intervals. */
export async function measure(
  measurements: readonly Measurement[],
  resampling: Resampling,
  signal: AbortSignal,
): Promise<readonly Metric[]> {
  const statistics = measurements.flatMap(({ statistics: of }) => Object.values(of ?? {}));
  const resampled = await resample(statistics, resampling, signal);
  const results = new Map(statistics.map((statistic, i) => [statistic, resampled[i]]));
  return measurements.map(({ name, slice, count, positives, statistics: of }) => {
    const result = (statistic: Statistic | undefined): Resampled | undefined =>
      statistic === undefined ? undefined : results.get(statistic);
    const [candidate, live, fallback] = [
      result(of?.candidate),
      result(of?.live),
      result(of?.fallback),
    ];
    return create(MetricSchema, {
      name,
      slice,
      count: BigInt(count),
      positives: BigInt(positives),
      ...interval("candidate", candidate),
      ...interval("live", live),
      ...interval("fallback", fallback),
      ...interval("versusLive", paired(candidate, live)),
      ...interval("versusFallback", paired(candidate, fallback)),
    });
  });
}

function paired(one: Resampled | undefined, other: Resampled | undefined): Resampled | undefined {
  return one === undefined || other === undefined ? undefined : difference(one, other);
}

/** The field, left out where nothing can be said. */
function interval<Field extends string>(
  field: Field,
  resampled: Resampled | undefined,
): { [key in Field]?: Interval } {
  const found = resampled === undefined ? undefined : intervalOf(resampled);
  return found === undefined ? {} : ({ [field]: found } as { [key in Field]?: Interval });
}
