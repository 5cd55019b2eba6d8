import { present } from "@heddle/base";
import type { SourceDefinition } from "@heddle/sdk";
import type { Duckdb } from "./duckdb.ts";
import type { DatasetPlan, SegmentFile } from "../plan.ts";
import { availableColumn, id, parquetFiles, storedTypes } from "./sql.ts";

/** Object name → local path from which it can be read. */
export type Paths = ReadonlyMap<string, string>;

export const eventsOf = (source: string): string => id(`events ${source}`);
export const referenceOf = (source: string): string => id(`reference ${source}`);

/** Names the plan's sources in the database: events as views over their segments, references as tables. */
export async function openSources(db: Duckdb, plan: DatasetPlan, paths: Paths): Promise<void> {
  for (const [name, { definition, segments }] of Object.entries(plan.sources)) {
    const isEvents = definition.eventTime !== undefined;
    const rows = segments.length === 0 ? emptyRows(definition) : scan(segments, paths);
    if (isEvents) await db.run(`create or replace temp view ${eventsOf(name)} as from ${rows}`);
    else await db.run(`create or replace temp table ${referenceOf(name)} as from ${rows}`);
  }
}

function scan(segments: readonly SegmentFile[], paths: Paths): string {
  return parquetFiles(
    segments.map((s) => present(paths.get(s.object.name), `a path of ${s.object.name}`)),
  );
}

/** No rows, with the columns that the source's segments have. */
export function emptyRows({ columns, eventTime }: SourceDefinition): string {
  const typed = Object.entries(columns).map(
    ([c, type]) => `cast(null as ${storedTypes[type]}) as ${id(c)}`,
  );
  if (eventTime !== undefined) typed.push(`cast(null as timestamp) as ${availableColumn}`);
  return `(select ${typed.join(", ")} where false)`;
}
