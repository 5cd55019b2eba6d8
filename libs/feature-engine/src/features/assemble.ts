import { canonicalJson } from "@heddle/base";
import { aggregateGroups, valuesOf } from "./aggregate-groups.ts";
import type { Duckdb } from "../duckdb/duckdb.ts";
import { momentsColumn } from "./moments.ts";
import { type DatasetPlan, exampleRowColumns, type PlannedFeature } from "../plan.ts";
import { examplesRelation } from "./relation.ts";
import { id } from "../duckdb/sql.ts";

/** Lookup features that read the same row of the same reference. */
export interface LookupGroup {
  readonly index: number;
  readonly source: string;
  readonly keys: readonly string[];
  readonly features: readonly PlannedFeature[];
}

/** The look-ups of a plan, those together that read the same rows; in the order of the features. */
export function lookupGroups(plan: DatasetPlan): readonly LookupGroup[] {
  const groups = new Map<string, PlannedFeature[]>();
  for (const feature of plan.features) {
    if (feature.plan.from !== "lookup") continue;
    const key = canonicalJson([feature.plan.source, feature.plan.keys]);
    groups.set(key, [...(groups.get(key) ?? []), feature]);
  }
  return [...groups.values()].map((features, index) => {
    const first = features[0]?.plan;
    const { source, keys } = first?.from === "lookup" ? first : { source: "", keys: [] };
    return { index, source, keys, features };
  });
}

/** A key of a lookup group, in `assembled`. */
export const lookupKey = (group: LookupGroup, key: number): string =>
  `lookup ${group.index} ${key}`;

/**
 * Which of an example's two halves has all these columns; none when neither has, or when an example
 * has no halves. What depends on one half alone is found once for it and not for every example.
 */
export function halfWith(
  { examples }: Pick<DatasetPlan, "examples">,
  columns: readonly string[],
): Half | undefined {
  if (examples.kind === "rows") return undefined;
  const { item } = examples.candidates;
  if (columns.every((c) => c === item)) return "item";
  const ofVisit = columns.every((c) => c !== item && examples.visits.keys.includes(c));
  return ofVisit ? "visit" : undefined;
}

export type Half = "visit" | "item";

/** Columns of the example row that features, or keys of features, read. */
export function neededColumns(plan: DatasetPlan): ReadonlySet<string> {
  const own = exampleRowColumns(plan);
  const names = plan.features.flatMap(({ plan }) =>
    plan.from === "example" ? [plan.column] : plan.keys,
  );
  return new Set(names.filter((name) => own.has(name)));
}

/**
 * Names the examples with their features `assembled`: visit, item, time, label, weight, aggregate
 * features by name, and what no half of the example has alone: example features by name and the keys
 * of lookups. The others are joined only when they are written, because text repeated on each row
 * would be most of the memory.
 *
 * @param kind `table` when several partitions are cut from it, `view` when it is read once.
 */
export async function assemble(
  db: Duckdb,
  plan: DatasetPlan,
  kind: "table" | "view",
): Promise<void> {
  const examples = examplesRelation(plan);
  const columns: string[] = [];
  for (const { name, plan: feature } of plan.features) {
    if (feature.from === "example" && halfWith(plan, [feature.column]) === undefined)
      columns.push(`${examples.value(feature.column)} as ${id(name)}`);
  }
  for (const group of lookupGroups(plan)) {
    if (halfWith(plan, group.keys) !== undefined) continue;
    group.keys.forEach((key, i) =>
      columns.push(`${examples.value(key)} as ${id(lookupKey(group, i))}`),
    );
  }
  const joins = aggregateGroups(plan).map((group) => {
    const table = `a${group.index}`;
    const keys = group.keys.map((key, i) => `${table}.k${i} = ${examples.key(key)}`);
    const moments = `${table}.moments = v.${id(momentsColumn(group))}`;
    for (const { name, plan: feature } of group.features) {
      const value = `${table}.${id(name)}`;
      const { op } = feature.aggregate;
      const ofNothing = op === "latest" || op === "latest-time" ? value : `coalesce(${value}, 0)`;
      columns.push(`${ofNothing} as ${id(name)}`);
    }
    return `left join ${valuesOf(group)} ${table} on ${[...keys, moments].join(" and ")}`;
  });
  const own = [
    "e.v as heddle_v",
    "v.partition as heddle_partition",
    "v.time as heddle_time",
    ...(plan.examples.kind === "candidates"
      ? [`${examples.value(plan.examples.candidates.item)} as heddle_item`]
      : []),
  ];
  const labels = ["e.label as heddle_label", "e.weight as heddle_weight"];
  await db.run("drop view if exists assembled_view");
  await db.run("drop table if exists assembled_table");
  await db.run(`create temp ${kind} assembled_${kind} as
    select ${[...own, ...labels, ...columns].join(", ")} from ${examples.from()} ${joins.join("\n")}`);
}
