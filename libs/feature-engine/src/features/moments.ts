import { present } from "@heddle/base";
import { type AggregateGroup, aggregateGroups } from "./aggregate-groups.ts";
import type { Duckdb } from "../duckdb/duckdb.ts";
import type { DatasetPlan } from "../plan.ts";
import { eventsOf } from "../duckdb/sources.ts";
import { availableColumn, id } from "../duckdb/sql.ts";

/** Distinct moments at which events of a source became known, up to the last example, numbered from 1 in order. */
export const momentsOf = (source: string): string => id(`moments ${source}`);

/**
 * The number of the last moment known to a visit, or known `days` before it; a column of `visits`.
 * Events that arrive in nightly loads have few moments, so examples that saw the same events share
 * their features and these are computed once.
 */
export const momentColumn = (source: string, days: number): string => `moment ${source} ${days}`;

/** The number of the moments of all windows of a group, where they are several; a column of `visits`. */
export const momentsColumn = ({ index, source, windows }: AggregateGroup): string =>
  windows.length === 1 ? momentColumn(source, windows[0] ?? 0) : `moments ${index}`;

/** Numbers the moments of every source that is aggregated, and gives each visit its own. */
export async function makeMoments(db: Duckdb, plan: DatasetPlan): Promise<void> {
  const sources = new Map<string, AggregateGroup[]>();
  for (const group of aggregateGroups(plan)) {
    sources.set(group.source, [...(sources.get(group.source) ?? []), group]);
  }
  for (const [source, groups] of sources) {
    const { definition } = present(plan.sources[source], `source ${source}`);
    const since = earliestMatter(groups);
    await db.run(`create or replace temp table ${momentsOf(source)} as
      select known, cast(row_number() over (order by known) as integer) as moment from (
        select distinct ${availableColumn} as known from ${eventsOf(definition.name)}
        where ${availableColumn} <= (select max(time) from visits) ${since})`);
    const windows = [...new Set(groups.flatMap((group) => group.windows))];
    for (const days of windows) {
      const seen = `v.time - interval ${days} day${groups[0]?.strictly === true ? " - interval 1 microsecond" : ""}`;
      await db.run(`create or replace temp table visits as
        select v.*, coalesce(m.moment, 0) as ${id(momentColumn(source, days))}
        from visits v asof left join ${momentsOf(source)} m on ${seen} >= m.known order by v.v`);
    }
    await numberTogether(db, groups);
  }
}

/** Gives visits one number for the moments of all windows of a group: a join by it costs half of one by each. */
async function numberTogether(db: Duckdb, groups: readonly AggregateGroup[]): Promise<void> {
  const several = groups.filter(({ windows }) => windows.length > 1);
  if (several.length === 0) return;
  const numbers = several.map((group) => {
    const order = group.windows.map((days) => id(momentColumn(group.source, days))).join(", ");
    return `cast(dense_rank() over (order by ${order}) as integer) as ${id(momentsColumn(group))}`;
  });
  await db.run(`create or replace temp table visits as
    select *, ${numbers.join(", ")} from visits order by v`);
}

/** When every aggregate has a window, older events cannot matter. */
function earliestMatter(groups: readonly AggregateGroup[]): string {
  const windows = groups.flatMap((g) => g.features.map(({ plan }) => plan.windowDays));
  if (windows.includes(undefined)) return "";
  const longest = Math.max(...windows.map((days) => days ?? 0));
  return `and ${availableColumn} > (select min(time) from visits) - interval ${longest} day - interval 1 microsecond`;
}
