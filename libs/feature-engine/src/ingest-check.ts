import type { Duckdb } from "./duckdb.ts";
import { refused } from "./ingest-error.ts";
import type { IngestTask } from "./ingest.ts";
import { id } from "./sql.ts";

interface Finding {
  readonly row: bigint;
  readonly column: string;
}

/** Checks the values of `incoming`; the first wrong row is named. */
export async function checkRows(db: Duckdb, task: IngestTask): Promise<void> {
  const { source } = task;
  await first(db, "heddle_bad is not null", "heddle_bad", ({ row, column }) =>
    refused(
      task,
      "WRONG_TYPE",
      `row ${row}, column "${column}" is not ${source.columns[column]}`,
      "correct the value, or declare the column otherwise",
      column,
    ),
  );
  for (const column of required(task)) {
    await first(db, `${id(column)} is null`, `'${column}'`, ({ row }) =>
      refused(
        task,
        "WRONG_TYPE",
        `row ${row} has no "${column}", which each event needs`,
        "give each event a value there",
        column,
      ),
    );
  }
  for (const [column, type] of Object.entries(source.columns)) {
    if (type !== "float64") continue;
    const condition = `not coalesce(isfinite(${id(column)}), true)`;
    await first(db, condition, `'${column}'`, ({ row }) =>
      refused(
        task,
        "NOT_A_NUMBER",
        `row ${row}, column "${column}" is NaN or infinite`,
        "leave it empty when it is not known",
        column,
      ),
    );
  }
  if (source.eventTime !== undefined) await checkTimes(db, task, source.eventTime);
}

const required = ({ source }: IngestTask): readonly string[] => {
  const { eventId, eventTime, subject, available } = source;
  const times = [eventTime, available.rule === "column" ? available.column : undefined, subject];
  return [...new Set([...eventId, ...times.filter((c) => c !== undefined)])];
};

async function checkTimes(db: Duckdb, task: IngestTask, eventTime: string): Promise<void> {
  const now = `make_timestamp(${Math.floor(task.nowMs)}::bigint * 1000)`;
  await first(db, `${id(eventTime)} > ${now}`, `'${eventTime}'`, ({ row }) =>
    refused(
      task,
      "FUTURE_EVENT",
      `row ${row} happened after now, ${new Date(task.nowMs).toISOString()} ("${eventTime}")`,
      "check the clock and the time zone of its writer: times are UTC",
      eventTime,
    ),
  );
}

async function first(
  db: Duckdb,
  condition: string,
  column: string,
  error: (finding: Finding) => Error,
): Promise<void> {
  const [found] = await db.rows<Finding>(
    `select heddle_row as row, ${column} as "column" from incoming where ${condition} order by heddle_row limit 1`,
  );
  if (found !== undefined) throw error(found);
}
