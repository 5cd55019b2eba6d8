import { contentName, HeddleError } from "@heddle/base";
import {
  type DatasetPlan,
  type DatasetUse,
  exampleSegments,
  exampleSource,
  type PlannedFeature,
  type PlannedSource,
  type SegmentFile,
  segmentsThatMatter,
  segmentsWith,
  timePartition,
} from "@heddle/feature-engine";
import type { ModelDefinition } from "@heddle/sdk";
import { listAll } from "@heddle/store";
import { checkPurpose } from "./dataset.ts";
import { refuse } from "../definitions/definition.ts";
import { checkModelPlan, sourceNamed, unknownName } from "../definitions/features.ts";
import { mainBranch, segmentsOn } from "../definitions/source.ts";
import type { FeatureStoreStore } from "../store.ts";

/** A change of what an engine makes of the same inputs: older partitions are not taken for it. */
const planVersion = 1;
const partitionsMax = 10_000;

export interface Resolved {
  readonly plan: DatasetPlan;
  readonly partitions: readonly { readonly partition: string; readonly inputsDigest: string }[];
}

export interface Range {
  readonly from: string;
  readonly to: string;
}

/**
 * Everything a build needs, as it is now: definitions, the segments that can matter, the partitions
 * with the content name of what each depends on.
 *
 * @throws {HeddleError} UNKNOWN_SOURCE, UNKNOWN_COLUMN, UNKNOWN_FEATURE, DEFINITION_INVALID, PURPOSE_NOT_ALLOWED, NO_EVENTS.
 */
export async function resolveDataset(
  store: FeatureStoreStore,
  model: ModelDefinition,
  use: DatasetUse,
  range: Range,
  branches: Readonly<Record<string, string>>,
): Promise<Resolved> {
  const plan = await planOf(store, model, use, branches);
  for (const { definition } of Object.values(plan.sources)) {
    checkPurpose(`source ${definition.name}`, model.purpose, definition.purposes);
  }
  const wanted = partitionsIn(plan, range);
  const used: Record<string, Set<string>> = {};
  const partitions = wanted.map((partition) => {
    const matter = segmentsThatMatter(plan, partition);
    const rows = Object.entries(matter).map(([name, segments]) => {
      segments.forEach((s) => (used[name] ??= new Set()).add(s.object.name));
      return [name, segments.map((s) => s.rowHash)] as const;
    });
    return { partition, inputsDigest: inputsDigest(plan, partition, Object.fromEntries(rows)) };
  });
  const sources = Object.fromEntries(
    Object.entries(plan.sources).map(([name, source]) => [
      name,
      { ...source, segments: source.segments.filter((s) => used[name]?.has(s.object.name)) },
    ]),
  );
  return { plan: { ...plan, sources }, partitions };
}

/** The plan of a model's rows over all that its sources hold. */
export async function planOf(
  store: FeatureStoreStore,
  model: ModelDefinition,
  use: DatasetUse,
  branches: Readonly<Record<string, string>>,
): Promise<DatasetPlan> {
  if (use === "ranking" && model.examples.kind === "rows") {
    throw refuse(
      `model ${model.name} has no candidates to rank: build its rows for training or evaluation`,
    );
  }
  const known = await listAll(store.sources);
  const features = await featuresOf(store, model);
  const { examples } = model;
  const names = new Set([
    exampleSource(examples),
    ...(examples.kind === "candidates" ? [examples.candidates.source] : []),
    ...features.flatMap(({ plan }) => (plan.from === "example" ? [] : [plan.source])),
  ]);
  const definitions = new Map(known.map(({ id, state }) => [id, state.definition]));
  const sources: Record<string, PlannedSource> = {};
  for (const name of [...names].sort()) {
    const definition = sourceNamed(definitions, name, `model ${model.name}`);
    const state = known.find(({ id }) => id === name)?.state;
    const wanted = branches[name] ?? mainBranch;
    const branch = state?.branches[wanted] === undefined ? mainBranch : wanted;
    sources[name] = {
      definition,
      branch,
      segments: state === undefined ? [] : segmentsOn(state, branch),
    };
  }
  const { partitioning, slices } = model;
  const plan = { model: model.name, use, examples, partitioning, features, slices, sources };
  checkModelPlan(plan);
  return plan;
}

async function featuresOf(
  store: FeatureStoreStore,
  model: ModelDefinition,
): Promise<PlannedFeature[]> {
  const features: PlannedFeature[] = [];
  for (const view of model.views) {
    const known = await store.views.get(view);
    if (known === undefined) {
      throw unknownName(
        "UNKNOWN_FEATURE",
        `model ${model.name} reads the feature view ${view}, which nobody applied`,
        view,
        (await listAll(store.views)).map(({ id }) => id),
      );
    }
    for (const [name, plan] of Object.entries(known.state.definition.features)) {
      const twice = features.find((f) => f.name === name);
      if (twice !== undefined) {
        throw refuse(
          `model ${model.name}: the feature ${name} is in ${twice.view} and in ${view}; names must differ`,
        );
      }
      features.push({ name, view, plan });
    }
  }
  return features;
}

/** A partition depends on what defines its rows and on the rows that can matter for it, not on which dataset asks. */
function inputsDigest(
  plan: DatasetPlan,
  partition: string,
  rows: Readonly<Record<string, readonly string[]>>,
): string {
  const { use, examples, partitioning, features, slices, sources } = plan;
  const split = examples.kind === "rows" && examples.holdoutShare !== undefined;
  const kind = use === "evaluation" && !split ? "training" : use;
  const definitions = Object.values(sources).map(({ definition }) => definition);
  return contentName({
    planVersion,
    kind,
    examples,
    partitioning,
    features,
    slices,
    definitions,
    partition,
    rows,
  });
}

const rangeText = ({ from, to }: Range): string =>
  from === to && from !== ""
    ? `partition "${from}"`
    : `partitions "${from || "first"}" to "${to || "last"}"`;

/** What there is instead; empty where that is nothing, or cannot be told from the outside. */
function heldText(
  segments: readonly SegmentFile[],
  partitioning: DatasetPlan["partitioning"],
): string {
  const bounds = (low: (s: SegmentFile) => number, high: (s: SegmentFile) => number) =>
    [Math.min(...segments.map(low)), Math.max(...segments.map(high))] as const;
  if (segments.length === 0) return "";
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

/** Partitions between both ends, inclusive, that have events; in order. */
function partitionsIn(plan: DatasetPlan, { from, to }: Range): readonly string[] {
  const { examples, partitioning } = plan;
  const name = exampleSource(examples);
  const segments = plan.sources[name]?.segments ?? [];
  const nothing = (): HeddleError =>
    new HeddleError(
      "FAILED_PRECONDITION",
      "NO_EVENTS",
      `model ${plan.model}: the source ${name} (branch ${plan.sources[name]?.branch}) has no events in ${rangeText({ from, to })}${heldText(segments, partitioning)}: ingest them first`,
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

const dayMs = 86_400_000;

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
