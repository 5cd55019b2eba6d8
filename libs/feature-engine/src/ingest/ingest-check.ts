import type { SourceDefinition } from "@heddle/sdk";
import type { Duckdb } from "../duckdb/duckdb.ts";
import { refused } from "./ingest-error.ts";
import type { IngestTask, LeftOut } from "./ingest-task.ts";
import { id, zoneColumn } from "../duckdb/sql.ts";

/** Something that a row of `incoming` may not be. */
interface Check {
  readonly reason: string;
  /** SQL: whether a row is so, and the column it is about. */
  readonly condition: string;
  readonly column: string;
  readonly problem: (row: bigint, column: string) => string;
  readonly remedy: string;
}

interface Finding {
  readonly row: bigint;
  readonly column: string;
}

/**
 * Checks the values of `incoming`.
 *
 * @returns the rows that were left out, where the task asks for that.
 * @throws {HeddleError} INVALID_ARGUMENT naming the first wrong row, where it does not.
 */
export async function checkRows(db: Duckdb, task: IngestTask): Promise<readonly LeftOut[]> {
  const leftOut: LeftOut[] = [];
  for (const { reason, condition, column: about, problem, remedy } of checksOf(task)) {
    const most = task.leaveOut === true ? "" : "limit 1";
    const found = await db.rows<Finding>(
      `select heddle_row as row, ${about} as "column" from incoming where ${condition} order by heddle_row ${most}`,
    );
    const [first] = found;
    if (first === undefined) continue;
    if (task.leaveOut !== true) {
      const { row, column } = first;
      throw refused(task, reason, problem(row, column), remedy, column);
    }
    leftOut.push(
      ...found.map(({ row, column }) => ({
        ...{ row: Number(row), reason },
        problem: `${problem(row, column)}; ${remedy}`,
      })),
    );
    await db.run(`delete from incoming where ${condition}`);
  }
  return leftOut.sort((a, b) => a.row - b.row);
}

function checksOf(task: IngestTask): readonly Check[] {
  const { source, nowMs } = task;
  const { columns, eventTime } = source;
  return [
    {
      ...{ reason: "WRONG_TYPE", condition: "heddle_bad is not null", column: "heddle_bad" },
      problem: (row, column) => `row ${row}, column "${column}" is not ${columns[column]}`,
      remedy: "correct the value, or declare the column otherwise",
    },
    ...required(task).map((column) => ({
      ...{ reason: "WRONG_TYPE", condition: `${id(column)} is null`, column: `'${column}'` },
      problem: (row: bigint) => `row ${row} has no "${column}", which each event needs`,
      remedy: "give each event a value there",
    })),
    ...Object.keys(columns)
      .filter((column) => columns[column] === "float64")
      .map((column) => ({
        ...{ reason: "NOT_A_NUMBER", column: `'${column}'` },
        condition: `not coalesce(isfinite(${id(column)}), true)`,
        problem: (row: bigint) => `row ${row}, column "${column}" is NaN or infinite`,
        remedy: "leave it empty when it is not known",
      })),
    ...(eventTime === undefined ? [] : [inFuture(eventTime, nowMs), longAgo(eventTime)]),
    ...mixedZones(task),
  ];
}

/** Spreadsheets and databases write the years 1 and 1900 where they know no time. */
function longAgo(eventTime: string): Check {
  return {
    ...{ reason: "TIME_TOO_EARLY", column: `'${eventTime}'` },
    condition: `${id(eventTime)} < timestamp '1900-01-02'`,
    problem: (row) => `row ${row} happened before 1900-01-02 ("${eventTime}")`,
    remedy: "leave the row out when its time is not known",
  };
}

/** Records of a log come from many writers: there each says its zone, or means UTC. */
function mixedZones({ source, format, leaveOut }: IngestTask): readonly Check[] {
  if (format === "parquet" || leaveOut === true) return [];
  return Object.entries(source.columns).flatMap(([column, type], at) => {
    const zone = zoneColumn(at);
    const first = `(select arg_min(${zone}, heddle_row) from incoming where ${zone} is not null)`;
    const check = {
      ...{ reason: "TIME_ZONE_MIXED", column: `'${column}'`, condition: `${zone} <> ${first}` },
      problem: (row: bigint) =>
        `in the column "${column}" some times say their zone and others do not, the first other one in row ${row}`,
      remedy: "write all with a zone (2026-11-23T18:00:00+01:00), or all in UTC without one",
    };
    return type === "timestamp" ? [check] : [];
  });
}

const required = ({ source }: IngestTask): readonly string[] => {
  const { eventId, eventTime, subject, available } = source;
  const times = [eventTime, available.rule === "column" ? available.column : undefined, subject];
  const ids = isWholeRow(source) ? [] : eventId;
  return [...new Set([...ids, ...times.filter((c) => c !== undefined)])];
};

/** Whether an event is told from others by all that it says; then an empty value is one like any other. */
export function isWholeRow({ eventId, columns }: SourceDefinition): boolean {
  return new Set(eventId).size === Object.keys(columns).length;
}

function inFuture(eventTime: string, nowMs: number): Check {
  return {
    ...{ reason: "FUTURE_EVENT", column: `'${eventTime}'` },
    condition: `${id(eventTime)} > make_timestamp(${Math.floor(nowMs)}::bigint * 1000)`,
    problem: (row) =>
      `row ${row} happened after now, ${new Date(nowMs).toISOString()} ("${eventTime}")`,
    remedy: "check the clock and the time zone of its writer: times are UTC",
  };
}
