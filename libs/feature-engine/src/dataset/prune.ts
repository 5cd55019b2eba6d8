import type { Partitioning } from "@heddle/sdk";
import type { DatasetPlan, SegmentFile } from "../plan.ts";

/** Segments that may hold a value of a column between `from` and `to`. */
export function segmentsWith(
  segments: readonly SegmentFile[],
  column: string,
  from: number,
  to: number,
): readonly SegmentFile[] {
  return segments.filter(({ ranges }) => {
    const range = ranges[column];
    return range === undefined || (range[0] <= to && range[1] >= from);
  });
}

/** Bounds of a time partition `2017-10-23` or `2017-10`: [start, end) in milliseconds since the epoch. */
function timeBounds(unit: "day" | "week" | "month", partition: string): readonly [number, number] {
  const [year = 0, month = 1, day = 1] = partition.split("-").map(Number);
  const start = Date.UTC(year, month - 1, day);
  if (unit === "month") return [start, Date.UTC(year, month, 1)];
  return [start, start + (unit === "day" ? 1 : 7) * dayMs];
}

/** The partition that a moment falls into. */
export function timePartition(unit: "day" | "week" | "month", ms: number): string {
  const date = new Date(ms);
  if (unit === "week") date.setUTCDate(date.getUTCDate() - ((date.getUTCDay() + 6) % 7));
  return date.toISOString().slice(0, unit === "month" ? 7 : 10);
}

/** Segments of the example source that may hold examples of a partition. */
export function exampleSegments(
  segments: readonly SegmentFile[],
  partitioning: Partitioning,
  partition: string,
): readonly SegmentFile[] {
  if (partitioning.by === "none") return segments;
  if (partitioning.by === "log") {
    return segments.filter(({ window }) => window?.number === Number(partition));
  }
  if (partitioning.by === "column") {
    return segmentsWith(segments, partitioning.column, Number(partition), Number(partition));
  }
  const [start, end] = timeBounds(partitioning.unit, partition);
  return segments.filter((s) => s.eventTimeMinMs < end && s.eventTimeMaxMs >= start);
}

/**
 * Segments of each source that can matter for a partition: those that may hold its examples or
 * their candidates, and of what features read, those that hold anything known by its last example.
 */
export function segmentsThatMatter(
  plan: DatasetPlan,
  partition: string,
): Readonly<Record<string, readonly SegmentFile[]>> {
  const { examples, partitioning, sources, features } = plan;
  const own = examples.kind === "rows" ? examples.source : examples.visits.source;
  const ofExamples = exampleSegments(sources[own]?.segments ?? [], partitioning, partition);
  const lastMs = Math.max(0, ...ofExamples.map((s) => s.eventTimeMaxMs));
  const aggregated = new Set(
    features.flatMap(({ plan }) => (plan.from === "aggregate" ? [plan.source] : [])),
  );
  // What a window's examples see of their own stream depends on the log alone, not on what was cut when they were built.
  const isLater = ({ window }: SegmentFile, source: string): boolean =>
    partitioning.by === "log" && source === own && (window?.number ?? 0) > Number(partition);
  const matter: Record<string, readonly SegmentFile[]> = {};
  for (const [name, { definition, segments }] of Object.entries(sources)) {
    const known =
      definition.eventTime === undefined
        ? name === own
          ? ofExamples
          : segments
        : segments.filter((s) => s.availableTimeMinMs <= lastMs && !isLater(s, name));
    const offers =
      examples.kind === "candidates" && examples.candidates.source === name
        ? offerSegments(known, plan, partition)
        : [];
    const chosen = new Set([
      ...(name === own ? ofExamples : []),
      ...(aggregated.has(name) || definition.eventTime === undefined ? known : []),
      ...offers,
    ]);
    matter[name] = segments.filter((s) => chosen.has(s));
  }
  return matter;
}

/** Segments of the candidates' source that may hold offers of a partition's visits. */
export function offerSegments(
  segments: readonly SegmentFile[],
  { examples, partitioning }: Pick<DatasetPlan, "examples" | "partitioning">,
  partition: string,
): readonly SegmentFile[] {
  const inKey =
    examples.kind === "candidates" &&
    partitioning.by === "column" &&
    examples.candidates.on.includes(partitioning.column);
  return inKey
    ? segmentsWith(segments, partitioning.column, Number(partition), Number(partition))
    : segments;
}

const dayMs = 86_400_000;
