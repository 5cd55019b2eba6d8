import { canonicalJson, present } from "@heddle/base";
import type { FeaturePlan } from "@heddle/sdk";
import type { Duckdb } from "../duckdb/duckdb.ts";
import { needsOrder, orderedOf } from "./ordered.ts";
import { type DatasetPlan, exampleRowColumns } from "../plan.ts";
import { eventsOf, referenceOf } from "../duckdb/sources.ts";
import { id } from "../duckdb/sql.ts";

type LookupPlan = Extract<FeaturePlan, { from: "lookup" }>;

/** Rows whose columns are known by name, with the joins that the columns asked for so far need. */
export interface Relation {
  /** The column's value, or that of the lookup feature of that name. */
  value(name: string): string;
  /** The same for a key of an aggregate: a lookup feature as a small number, see `makeCodes`. */
  key(name: string): string;
  /** What follows `from`. */
  from(): string;
}

/**
 * @param base what the rows are, as SQL, and their own columns by name.
 * @param lookups lookup features by name; a column of the rows hides a feature of the same name.
 */
function relation(
  base: { readonly from: string; readonly columns: ReadonlyMap<string, string> },
  lookups: ReadonlyMap<string, LookupPlan>,
): Relation {
  const joins = new Map<string, string>();
  const join = (table: string, keys: readonly string[]): string => {
    const on = keys.map((k) => [id(k), value(k)] as const);
    const name = `${table} ${JSON.stringify(on)}`;
    const alias = joins.has(name) ? [...joins.keys()].indexOf(name) : joins.size;
    const condition = on.map(([column, own]) => `l${alias}.${column} = ${own}`).join(" and ");
    joins.set(name, `left join ${table} l${alias} on ${condition}`);
    return `l${alias}`;
  };
  const value = (name: string): string => {
    const own = base.columns.get(name);
    if (own !== undefined) return own;
    const { source, keys, column } = present(lookups.get(name), `a column or lookup ${name}`);
    return `${join(referenceOf(source), keys)}.${id(column)}`;
  };
  return {
    value,
    key: (name) => {
      const own = base.columns.get(name);
      if (own !== undefined) return own;
      const lookup = present(lookups.get(name), `a column or lookup ${name}`);
      return `${join(codesOf(lookup), lookup.keys)}.${id(name)}`;
    },
    from: () => [base.from, ...joins.values()].join("\n"),
  };
}

/** Lookup features of a plan, by name. */
function lookupsOf(plan: Pick<DatasetPlan, "features">): ReadonlyMap<string, LookupPlan> {
  const lookups = new Map<string, LookupPlan>();
  for (const { name, plan: feature } of plan.features) {
    if (feature.from === "lookup") lookups.set(name, feature);
  }
  return lookups;
}

/** The examples with their visits. */
export function examplesRelation(plan: DatasetPlan): Relation {
  const item = plan.examples.kind === "candidates" ? plan.examples.candidates.item : undefined;
  const columns = new Map<string, string>();
  for (const [column, side] of exampleRowColumns(plan)) {
    columns.set(column, `${side === "visit" && column !== item ? "v" : "e"}.${id(column)}`);
  }
  return relation({ from: "examples e join visits v on v.v = e.v", columns }, lookupsOf(plan));
}

/** Events of a source, as aggregates see them: a key is a column of both sides, or a lookup feature of both. */
export function eventsRelation(plan: DatasetPlan, source: string): Relation {
  const { definition } = present(plan.sources[source], `source ${source}`);
  const lookups = lookupsOf(plan);
  const onExamples = exampleRowColumns(plan);
  const own = Object.keys(definition.columns).filter((c) => onExamples.has(c) || !lookups.has(c));
  const columns = new Map(own.map((c) => [c, `s.${id(c)}`]));
  const events = needsOrder(plan, source) ? orderedOf(source) : eventsOf(source);
  return relation({ from: `${events} s`, columns }, lookups);
}

/** Codes of lookups that read the same row lie in one table, so that rows need one join for all of them. */
const codesOf = ({ source, keys }: LookupPlan): string =>
  id(`codes ${canonicalJson([source, keys])}`);

/** Numbers the values of lookup features that are keys: joins and groups over numbers take half the time and memory. */
export async function makeCodes(
  db: Duckdb,
  plan: DatasetPlan,
  features: Iterable<string>,
): Promise<void> {
  const lookups = lookupsOf(plan);
  const tables = new Map<string, { readonly lookup: LookupPlan; readonly codes: string[] }>();
  for (const feature of features) {
    const lookup = present(lookups.get(feature), `lookup ${feature}`);
    const table = codesOf(lookup);
    const codes: string[] = tables.get(table)?.codes ?? [];
    tables.set(table, { lookup, codes });
    const column = id(lookup.column);
    codes.push(`case when ${column} is not null
      then cast(dense_rank() over (order by ${column}) as integer) end as ${id(feature)}`);
  }
  for (const [table, { lookup, codes }] of tables) {
    await db.run(`create or replace temp table ${table} as
      select ${[...lookup.keys.map(id), ...codes].join(", ")} from ${referenceOf(lookup.source)}`);
  }
}
