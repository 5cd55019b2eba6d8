import type { LogRange } from "@heddle/base";
import type { Examples, FeaturePlan, Partitioning, Slice, SourceDefinition } from "@heddle/sdk";

export type DatasetUse = "training" | "evaluation" | "ranking";

/** An object of the store, as `heddle.common.v1.ObjectRef` names it. */
export interface ObjectFile {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** What a segment is of its source's stream. */
export interface Window {
  /** From 0. */
  readonly number: number;
  /** Its records, those left out among them; by partition. Each begins where the window before ends. */
  readonly log: readonly LogRange[];
}

/** An immutable file of a source's events. Times are milliseconds since the epoch, 0 for a reference table. */
export interface SegmentFile {
  readonly object: ObjectFile;
  readonly rowHash: string;
  readonly events: number;
  readonly eventTimeMinMs: number;
  readonly eventTimeMaxMs: number;
  readonly availableTimeMinMs: number;
  readonly availableTimeMaxMs: number;
  readonly fileName: string;
  /** Least and greatest value of each int64 column whose values a double holds exactly; not of the subject. */
  readonly ranges: Readonly<Record<string, readonly [number, number]>>;
  /** Of a source that comes by the event log; absent where it came as a file. */
  readonly window?: Window;
  /** W3C trace context of the ingestion that made it; absent when that was not traced. */
  readonly traceparent?: string;
}

export interface PlannedSource {
  readonly definition: SourceDefinition;
  /** Branch that is read. */
  readonly branch: string;
  readonly segments: readonly SegmentFile[];
}

export interface PlannedFeature {
  readonly name: string;
  /** The view it belongs to, `name@version`. */
  readonly view: string;
  readonly plan: FeaturePlan;
}

/** Everything a build needs to know, as data: what `ResolveDataset` answers and an engine compiles. */
export interface DatasetPlan {
  readonly model: string;
  readonly use: DatasetUse;
  readonly examples: Examples;
  readonly partitioning: Partitioning;
  /** In the order of the dataset's columns. */
  readonly features: readonly PlannedFeature[];
  readonly slices: readonly Slice[];
  readonly sources: Readonly<Record<string, PlannedSource>>;
}

/** A column of a dataset, as the manifest lists it. */
export interface DatasetColumn {
  readonly name: string;
  readonly type: "category" | "int64" | "float64" | "timestamp" | "boolean";
}

/** Columns beside the features; a feature may not have such a name. */
export const exampleColumns: readonly DatasetColumn[] = [
  { name: "visit", type: "int64" },
  { name: "example_time", type: "timestamp" },
  { name: "label", type: "float64" },
  { name: "weight", type: "float64" },
];

/** The dataset's columns in order: features first. */
export function datasetColumns(plan: Pick<DatasetPlan, "features">): readonly DatasetColumn[] {
  const features = plan.features.map(({ name, plan }) => ({ name, type: plan.type }));
  return [...features, ...exampleColumns];
}

/** The source whose events make the examples. */
export function exampleSource(examples: Examples): string {
  return examples.kind === "rows" ? examples.source : examples.visits.source;
}

/** Where each column of an example row comes from: the visit (or the event itself), or its candidate. */
export function exampleRowColumns(
  plan: Pick<DatasetPlan, "examples" | "sources">,
): ReadonlyMap<string, "visit" | "candidate"> {
  const { examples, sources } = plan;
  if (examples.kind === "rows") {
    const columns = Object.keys(sources[examples.source]?.definition.columns ?? {});
    return new Map(columns.filter((c) => c !== examples.label).map((c) => [c, "visit"]));
  }
  const offered = Object.keys(sources[examples.candidates.source]?.definition.columns ?? {});
  const columns = new Map<string, "visit" | "candidate">(offered.map((c) => [c, "candidate"]));
  for (const key of examples.visits.keys) columns.set(key, "visit");
  return columns;
}
