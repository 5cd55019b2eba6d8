import { canonicalJson } from "@heddle/base";
import {
  type AggregateGroup,
  type AggregatePlan,
  needsGathering,
  onlyWhere,
} from "./aggregate-groups.ts";
import { id } from "../duckdb/sql.ts";

/**
 * A number that only grows as events of a key become known: per moment it is aggregated over the
 * events, then merged over the moments so far.
 */
export interface Running {
  readonly column: string;
  readonly perMoment: string;
  readonly merge: "sum" | "max";
  /** For a count of distinct values: the column, each value of which counts at the first moment it was known. */
  readonly distinct?: { readonly column: string; readonly only: string };
}

/** The running numbers a group needs; features that differ in their window only share one. */
export function runningOf(group: AggregateGroup, eventTime: string): readonly Running[] {
  const all = new Map<string, Running>();
  for (const { plan } of group.features) {
    if (needsGathering(plan)) continue;
    const column = runningName(plan);
    all.set(column, { column, ...running(plan, onlyWhere(plan.where), eventTime) });
  }
  return [...all.values()];
}

function running(
  { aggregate }: AggregatePlan,
  only: string,
  eventTime: string,
): Omit<Running, "column"> {
  switch (aggregate.op) {
    case "count":
      return { perMoment: `count(*) ${only}`, merge: "sum" };
    case "sum":
      return { perMoment: `coalesce(sum(s.${id(aggregate.column)}) ${only}, 0)`, merge: "sum" };
    case "latest":
      return { perMoment: `max(s.heddle_order) ${only}`, merge: "max" };
    case "latest-time":
      return { perMoment: `max(s.${id(eventTime)}) ${only}`, merge: "max" };
    case "count-distinct":
      return { perMoment: "0", merge: "sum", distinct: { column: aggregate.column, only } };
  }
}

/** Equal for features that differ in their window only. */
export function runningName({ aggregate, where = [] }: AggregatePlan): string {
  return canonicalJson([aggregate, where]);
}
