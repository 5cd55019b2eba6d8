import { HeddleError } from "@heddle/base";
import {
  type DatasetPlan,
  exampleSegments,
  exampleSource,
  type SegmentFile,
  segmentsWith,
  timePartition,
} from "@heddle/feature-engine";
import { refuse } from "../definitions/definition.ts";

const partitionsMax = 10_000;
const dayMs = 86_400_000;

/** Partitions between both ends, inclusive; an empty end is the first or the last there is. */
export interface Range {
  readonly from: string;
  readonly to: string;
}

/**
 * Partitions between both ends that have events, in order.
 *
 * @throws {HeddleError} FAILED_PRECONDITION NO_EVENTS, WINDOW_NOT_CUT; INVALID_ARGUMENT DEFINITION_INVALID when an end is none of the
 *   model's partitions, or there are too many between.
 */
export function partitionsIn(plan: DatasetPlan, { from, to }: Range): readonly string[] {
  const { examples, partitioning } = plan;
  const name = exampleSource(examples);
  const segments = plan.sources[name]?.segments ?? [];
  const nothing = (): HeddleError =>
    new HeddleError(
      "FAILED_PRECONDITION",
      "NO_EVENTS",
      `model ${plan.model}: the source ${name} (branch ${plan.sources[name]?.branch}) has no events${missingText(segments, partitioning, { from, to })}: ingest them first`,
      { metadata: { source: name, from, to } },
    );
  if (segments.length === 0) throw nothing();
  const all =
    partitioning.by === "none"
      ? ["all"]
      : partitioning.by === "column"
        ? columnPartitions(plan, partitioning.column, from, to)
        : partitioning.by === "log"
          ? windowsBetween(segments, from, to)
          : timePartitions(plan, partitioning.unit, from, to);
  const filled = all.filter((p) => exampleSegments(segments, partitioning, p).length > 0);
  if (filled.length === 0) throw nothing();
  if (filled.length > partitionsMax) {
    throw refuse(
      `model ${plan.model}: ${filled.length} partitions are more than ${partitionsMax}: take a shorter range`,
    );
  }
  return filled;
}

/**
 * Numbers of windows, all of which must be cut.
 *
 * @throws {HeddleError} FAILED_PRECONDITION WINDOW_NOT_CUT.
 */
function windowsBetween(segments: readonly SegmentFile[], from: string, to: string): string[] {
  const newest = Math.max(-1, ...segments.map(({ window }) => window?.number ?? -1));
  const [low, high] = [Number(from), to === "" ? newest : Number(to)];
  if (high > newest) {
    throw new HeddleError(
      "FAILED_PRECONDITION",
      "WINDOW_NOT_CUT",
      `window ${high} of the stream is not cut yet, the newest is ${newest < 0 ? "none" : newest}: wait until its records are there`,
      { metadata: { window: String(high) } },
    );
  }
  return segments
    .flatMap(({ window }) => (window === undefined ? [] : [window.number]))
    .filter((number) => number >= low && number <= high)
    .sort((a, b) => a - b)
    .map(String);
}

function columnPartitions(plan: DatasetPlan, column: string, from: string, to: string): string[] {
  const name = exampleSource(plan.examples);
  const segments = plan.sources[name]?.segments ?? [];
  const ranges = segments.flatMap((s) =>
    s.ranges[column] === undefined ? [] : [s.ranges[column]],
  );
  if (ranges.length === 0)
    throw refuse(
      `model ${plan.model}: "${column}" of ${name} has values that are no safe integers`,
    );
  const low = from === "" ? Math.min(...ranges.map((r) => r[0])) : integer(from, plan.model);
  const high = to === "" ? Math.max(...ranges.map((r) => r[1])) : integer(to, plan.model);
  const found: string[] = [];
  for (let p = low; p <= high && found.length <= partitionsMax; p++) {
    if (segmentsWith(segments, column, p, p).length > 0) found.push(String(p));
  }
  return found;
}

function integer(partition: string, model: string): number {
  const value = Number(partition);
  if (partition.trim() !== "" && Number.isSafeInteger(value)) return value;
  throw refuse(`model ${model} is partitioned by whole numbers: "${partition}" is none`);
}

function timePartitions(
  plan: DatasetPlan,
  unit: "day" | "week" | "month",
  from: string,
  to: string,
): string[] {
  const segments = plan.sources[exampleSource(plan.examples)]?.segments ?? [];
  const first = Math.min(...segments.map((s) => s.eventTimeMinMs));
  const last = Math.max(...segments.map((s) => s.eventTimeMaxMs));
  const found = new Set<string>();
  for (let ms = first; found.size <= partitionsMax; ms += dayMs) {
    const partition = timePartition(unit, Math.min(ms, last));
    if ((from === "" || partition >= from) && (to === "" || partition <= to)) found.add(partition);
    if (ms >= last) break;
  }
  return [...found];
}

const rangeText = ({ from, to }: Range): string =>
  from === to && from !== ""
    ? `partition "${from}"`
    : `partitions "${from || "first"}" to "${to || "last"}"`;

/** Where there are none, and what there is instead; empty where there is nothing at all. */
const missingText = (
  segments: readonly SegmentFile[],
  partitioning: DatasetPlan["partitioning"],
  range: Range,
): string =>
  segments.length === 0 ? "" : ` in ${rangeText(range)}${heldText(segments, partitioning)}`;

/** Empty where it cannot be told from the outside. */
function heldText(
  segments: readonly SegmentFile[],
  partitioning: DatasetPlan["partitioning"],
): string {
  const bounds = (low: (s: SegmentFile) => number, high: (s: SegmentFile) => number) =>
    [Math.min(...segments.map(low)), Math.max(...segments.map(high))] as const;
  if (partitioning.by === "time") {
    const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
    const [first, last] = bounds(
      (segment) => segment.eventTimeMinMs,
      (segment) => segment.eventTimeMaxMs,
    );
    return `, and has some of ${day(first)} to ${day(last)}`;
  }
  if (partitioning.by !== "column") return "";
  const { column } = partitioning;
  const [first, last] = bounds(
    ({ ranges }) => ranges[column]?.[0] ?? Infinity,
    ({ ranges }) => ranges[column]?.[1] ?? -Infinity,
  );
  return first > last ? "" : `, and has some of "${first}" to "${last}"`;
}
