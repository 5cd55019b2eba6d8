import { present } from "@heddle/base";
import {
  type AggregateGroup,
  type AggregatePlan,
  keyNames,
  momentName,
  onlyWhere,
  valuesOf,
} from "./aggregate-groups.ts";
import type { Duckdb } from "../duckdb/duckdb.ts";
import { momentsOf } from "./moments.ts";
import type { DatasetPlan } from "../plan.ts";
import { eventsRelation } from "./relation.ts";
import { availableColumn, id } from "../duckdb/sql.ts";

/** Adds a feature that has to see each event of its window, by joining the events to every need. */
export async function gatherWindow(
  db: Duckdb,
  plan: DatasetPlan,
  group: AggregateGroup,
  name: string,
  feature: AggregatePlan,
): Promise<void> {
  const { eventTime = "" } = present(plan.sources[group.source], group.source).definition;
  const events = eventsRelation(plan, group.source);
  const same = group.keys.map((key, i) => `${events.key(key)} = n.k${i}`);
  const identity = [...keyNames(group), "moments"];
  const from = momentName(feature.windowDays ?? 0);
  await db.run(`create or replace temp table gathered as
    select ${identity.map((c) => `n.${c}`).join(", ")}, ${gathered(feature, eventTime)} as value
    from ${events.from()} join ${momentsOf(group.source)} m on m.known = s.${availableColumn}
    join needs n on ${same.join(" and ")} and m.moment <= n.m0 and m.moment > n.${from}
    group by ${identity.map((c) => `n.${c}`).join(", ")}`);
  const empty = feature.aggregate.op === "count-distinct" ? "coalesce(g.value, 0)" : "g.value";
  await db.run(`create or replace temp table ${valuesOf(group)} as
    select v.*, ${empty} as ${id(name)} from ${valuesOf(group)} v
    left join gathered g on ${identity.map((c) => `g.${c} = v.${c}`).join(" and ")}`);
  await db.run("drop table gathered");
}

function gathered({ aggregate, where }: AggregatePlan, eventTime: string): string {
  const only = onlyWhere(where);
  switch (aggregate.op) {
    case "count-distinct":
      return `count(distinct s.${id(aggregate.column)}) ${only}`;
    case "latest":
      return `arg_max_null(s.${id(aggregate.column)}, s.heddle_order) ${only}`;
    case "latest-time":
      return `max(s.${id(eventTime)}) ${only}`;
    case "count":
      return `count(*) ${only}`;
    case "sum":
      return `coalesce(sum(s.${id(aggregate.column)}) ${only}, 0)`;
  }
}
