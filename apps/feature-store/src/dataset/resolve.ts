import { contentName } from "@heddle/base";
import { type DatasetPlan, type DatasetUse, segmentsThatMatter } from "@heddle/feature-engine";
import type { ModelDefinition } from "@heddle/sdk";
import { checkPurpose } from "./dataset.ts";
import { partitionsIn, type Range } from "./partitions.ts";
import { planOf } from "./plan.ts";
import type { FeatureStoreStore } from "../store.ts";

/** A change of what an engine makes of the same inputs: older partitions are not taken for it. */
const planVersion = 1;

export interface Resolved {
  readonly plan: DatasetPlan;
  readonly partitions: readonly { readonly partition: string; readonly inputsDigest: string }[];
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
