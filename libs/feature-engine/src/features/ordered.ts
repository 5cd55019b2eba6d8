import { present } from "@heddle/base";
import type { Duckdb } from "../duckdb/duckdb.ts";
import type { DatasetPlan } from "../plan.ts";
import { eventsOf } from "../duckdb/sources.ts";
import { id } from "../duckdb/sql.ts";

/** Events of a source with `heddle_order`, their place in order of event time and event id. */
export const orderedOf = (source: string): string => id(`ordered ${source}`);

/** True when a feature takes the latest value of a column: which event is latest needs an order without ties. */
export function needsOrder(plan: Pick<DatasetPlan, "features">, source: string): boolean {
  return plan.features.some(
    ({ plan }) =>
      plan.from === "aggregate" && plan.source === source && plan.aggregate.op === "latest",
  );
}

export async function makeOrdered(db: Duckdb, plan: DatasetPlan): Promise<void> {
  for (const source of Object.keys(plan.sources)) {
    if (!needsOrder(plan, source)) continue;
    const { eventTime = "", eventId } = present(plan.sources[source], source).definition;
    const order = [...new Set([eventTime, ...eventId])].map(id).join(", ");
    await db.run(`create or replace temp table ${orderedOf(source)} as
      select *, row_number() over (order by ${order}) as heddle_order from ${eventsOf(source)}`);
  }
}
