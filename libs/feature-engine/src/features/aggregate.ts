import { present } from "@heddle/base";
import {
  type AggregateGroup,
  aggregateGroups,
  type AggregatePlan,
  keyNames,
  momentName,
  needsGathering,
  valuesOf,
} from "./aggregate-groups.ts";
import type { Duckdb } from "../duckdb/duckdb.ts";
import { gatherWindow } from "./gather.ts";
import { momentColumn, momentsColumn, momentsOf } from "./moments.ts";
import { makeOrdered, orderedOf } from "./ordered.ts";
import type { DatasetPlan } from "../plan.ts";
import { eventsRelation, examplesRelation } from "./relation.ts";
import { runningName, runningOf } from "./running.ts";
import { availableColumn, id } from "../duckdb/sql.ts";

/**
 * Computes every aggregate of the plan as each example's time could have known it.
 *
 * Events of a key are summed up per moment and then over the moments so far; what an example sees is
 * the last such sum at or before its moment (an as-of join), less, for a window, the last one at or
 * before the window's start. Only keys and moments that occur among the examples are computed, once each.
 */
export async function makeAggregates(db: Duckdb, plan: DatasetPlan): Promise<void> {
  await makeOrdered(db, plan);
  for (const group of aggregateGroups(plan)) {
    await makeSums(db, plan, group);
    await makeNeeds(db, plan, group);
    const joins = group.windows.map((days) => {
      const same = keyNames(group).map((k) => `n.${k} = w${days}.${k}`);
      const at = `n.${momentName(days)} >= w${days}.moment`;
      return `asof left join sums w${days} on ${[...same, at].join(" and ")}`;
    });
    const values = group.features
      .filter(({ plan }) => !needsGathering(plan))
      .map(({ name, plan: feature }) => `, ${valueOf(feature)} as ${id(name)}`);
    await db.run(`create or replace temp table ${valuesOf(group)} as
      select n.*${values.join("")} from needs n ${joins.join("\n")}`);
    for (const { name, plan: feature } of group.features) {
      if (needsGathering(feature)) await gatherWindow(db, plan, group, name, feature);
      else if (feature.aggregate.op === "latest") await readLatest(db, group, name, feature);
    }
    for (const table of ["needs", "sums"]) await db.run(`drop table ${table}`);
  }
}

/** A count or sum within a window is what there is now less what there was at its start. */
function valueOf(feature: AggregatePlan): string {
  const column = id(runningName(feature));
  if (feature.aggregate.op === "latest" || feature.aggregate.op === "latest-time")
    return `w0.${column}`;
  const { windowDays } = feature;
  const before = windowDays === undefined ? "" : ` - coalesce(w${windowDays}.${column}, 0)`;
  return `cast(coalesce(w0.${column}, 0)${before} as bigint)`;
}

/** `sums`: for each key, and each moment at which events of it became known, the running numbers. */
async function makeSums(db: Duckdb, plan: DatasetPlan, group: AggregateGroup): Promise<void> {
  const { eventTime = "" } = present(plan.sources[group.source], group.source).definition;
  const running = runningOf(group, eventTime);
  const keys = keyNames(group).join(", ");
  await makeWanted(db, plan, group);
  const steps = (columns: readonly string[], by: string): string => {
    const events = eventsRelation(plan, group.source);
    const own = group.keys.map((key) => events.key(key));
    return `select ${own.map((k, i) => `${k} as k${i}`).join(", ")}, ${columns.join(", ")}
      from ${events.from()} join ${momentsOf(group.source)} m on m.known = s.${availableColumn}
      semi join wanted w on ${own.map((k, i) => `w.k${i} = ${k}`).join(" and ")} group by ${by}`;
  };
  const positions = group.keys.map((_, i) => i + 1);
  const parts = [
    steps(
      ["m.moment as moment", ...running.map((r) => `${r.perMoment} as ${id(r.column)}`)],
      [...positions, positions.length + 1].join(", "),
    ),
    ...running.flatMap(({ column, distinct }) => {
      if (distinct === undefined) return [];
      const value = `s.${id(distinct.column)}`;
      const firsts = steps(
        [`${value} as value`, `min(m.moment) ${distinct.only} as moment`],
        [...positions, positions.length + 1].join(", "),
      );
      const others = running.map((r) =>
        r.column === column ? `1 as ${id(column)}` : `null as ${id(r.column)}`,
      );
      return [
        `select ${keys}, moment, ${others.join(", ")} from (${firsts}) where moment is not null and value is not null`,
      ];
    }),
  ];
  const step = parts.length === 1 ? parts[0] : mergedParts(parts, keys, running);
  const merged = running.map(
    (r) => `, ${r.merge}(${id(r.column)}) over running as ${id(r.column)}`,
  );
  await db.run(`create or replace temp table sums as select ${keys}, moment${merged.join("")}
    from (${step}) window running as (partition by ${keys} order by moment)`);
  await db.run("drop table wanted");
}

function mergedParts(
  parts: readonly string[],
  keys: string,
  running: ReturnType<typeof runningOf>,
): string {
  const columns = running.map((r) => `${r.merge}(${id(r.column)}) as ${id(r.column)}`);
  return `select ${keys}, moment, ${columns.join(", ")} from (${parts.join(" union all ")}) group by ${keys}, moment`;
}

/** `wanted`: the keys that occur among the examples. */
async function makeWanted(db: Duckdb, plan: DatasetPlan, group: AggregateGroup): Promise<void> {
  const examples = examplesRelation(plan);
  const keys = group.keys.map((key, i) => `${examples.key(key)} as k${i}`).join(", ");
  await db.run(
    `create or replace temp table wanted as select distinct ${keys} from ${examples.from()}`,
  );
}

/** `needs`: the keys with events, and the moments, that occur together among the examples. */
async function makeNeeds(db: Duckdb, plan: DatasetPlan, group: AggregateGroup): Promise<void> {
  const examples = examplesRelation(plan);
  const keys = group.keys.map((key) => examples.key(key));
  const moments = group.windows.map(
    (days) => `v.${id(momentColumn(group.source, days))} as ${momentName(days)}`,
  );
  await db.run(`create or replace temp table needs as
    select distinct ${keys.map((k, i) => `${k} as k${i}`).join(", ")}, v.${id(momentsColumn(group))} as moments, ${moments.join(", ")}
    from ${examples.from()}
    semi join (select distinct ${keyNames(group).join(", ")} from sums) h
      on ${keys.map((k, i) => `h.k${i} = ${k}`).join(" and ")}`);
}

/** Replaces the place of the latest event by the value of its column. */
async function readLatest(
  db: Duckdb,
  group: AggregateGroup,
  name: string,
  { aggregate }: AggregatePlan,
): Promise<void> {
  if (aggregate.op !== "latest") return;
  await db.run(`create or replace temp table ${valuesOf(group)} as
    select v.* replace (s.${id(aggregate.column)} as ${id(name)}) from ${valuesOf(group)} v
    left join ${orderedOf(group.source)} s on s.heddle_order = v.${id(name)}`);
}
