import { createWriteStream } from "node:fs";
import type { DuckDBTimestampValue } from "@duckdb/node-api";
import { finished } from "node:stream/promises";
import { type Json, present } from "@heddle/base";
import { aggregateGroups, type AggregateGroup, type AggregatePlan } from "./aggregate-groups.ts";
import { type LookupGroup, lookupGroups } from "./assemble.ts";
import { openPacker, type Packed } from "./buckets.ts";
import type { Duckdb } from "../duckdb/duckdb.ts";
import { makeOrdered } from "./ordered.ts";
import type { DatasetPlan } from "../plan.ts";
import { eventsRelation } from "./relation.ts";
import { eventsOf, openSources, referenceOf } from "../duckdb/sources.ts";
import { allOf, availableColumn, equal, id } from "../duckdb/sql.ts";

export interface MaterialiseTask {
  readonly plan: DatasetPlan;
  /** Where each segment of the plan lies. */
  readonly paths: readonly (readonly [string, string])[];
  /** Events known by then count, milliseconds since the epoch. */
  readonly asOfMs: number;
  /** Where the rows are written: a line of JSON for each, `{part, key, values}`. */
  readonly target: string;
}

export interface Materialised {
  /** Keys with values. */
  readonly keys: number;
  /** Part → buckets it is spread over; see `bucketKey`. */
  readonly buckets: Readonly<Record<string, number>>;
}

/** Names of the parts that online values of a plan are kept in. */
export const aggregatePart = (group: Pick<AggregateGroup, "index">): string =>
  `aggregate-${group.index}`;
export const lookupPart = (group: Pick<LookupGroup, "index">): string => `lookup-${group.index}`;
export const offersPart = "offers";

/** Columns of an offer that its entry holds, in order; the entry's key ends with the item. */
export function offerColumns({ examples, sources }: DatasetPlan): readonly string[] {
  if (examples.kind === "rows") return [];
  return Object.keys(present(sources[examples.candidates.source], "candidates").definition.columns);
}

/** What an offer is found by: the columns it meets visits on, except the partition, of which it has the newest. */
export function offerKey({ examples, partitioning }: DatasetPlan): readonly string[] {
  if (examples.kind === "rows") return [];
  const newest = partitioning.by === "column" ? partitioning.column : undefined;
  return examples.candidates.on.filter((column) => column !== newest);
}

/** Computes, for every known key, what the plan's features are at one moment, and writes them to a file. */
export async function materialise(db: Duckdb, task: MaterialiseTask): Promise<Materialised> {
  const { plan, asOfMs } = task;
  await openSources(db, plan, new Map(task.paths));
  await makeOrdered(db, plan);
  const file = createWriteStream(task.target);
  const buckets: Record<string, number> = {};
  let keys = 0;
  const write = async (part: string, keyColumns: number, sql: string): Promise<void> => {
    const packed = await pack(db, keyColumns, sql);
    buckets[part] = packed.buckets;
    keys += packed.keys;
    for (const [key, entries] of packed.rows) {
      const line = `{"part":${JSON.stringify(part)},"key":${JSON.stringify(key)},"values":{${entries.join(",")}}}\n`;
      if (!file.write(line)) await new Promise((resolve) => file.once("drain", resolve));
    }
  };
  try {
    for (const group of aggregateGroups(plan)) {
      if (isEmpty(plan, group.source)) continue;
      await write(aggregatePart(group), group.keys.length, aggregatesAt(plan, group, asOfMs));
    }
    for (const group of lookupGroups(plan)) {
      if (isEmpty(plan, group.source)) continue;
      const columns = group.features.map(({ plan }) =>
        plan.from === "lookup" ? id(plan.column) : "",
      );
      const sql = `select ${[...group.keys.map(id), ...columns].join(", ")} from ${referenceOf(group.source)}`;
      await write(lookupPart(group), group.keys.length, sql);
    }
    const { examples } = plan;
    if (examples.kind === "candidates" && !isEmpty(plan, examples.candidates.source)) {
      const sql = offersAt(plan, examples.candidates.source, examples.candidates.item, asOfMs);
      await write(offersPart, offerKey(plan).length + 1, sql);
    }
  } finally {
    file.end();
    await finished(file);
  }
  return { keys, buckets };
}

const isEmpty = (plan: DatasetPlan, source: string): boolean =>
  (plan.sources[source]?.segments.length ?? 0) === 0;

const moment = (ms: number): string => `make_timestamp(${Math.floor(ms)}::bigint * 1000)`;

function aggregatesAt(plan: DatasetPlan, group: AggregateGroup, asOfMs: number): string {
  const { eventTime = "" } = present(plan.sources[group.source], group.source).definition;
  const events = eventsRelation(plan, group.source);
  const keys = group.keys.map((key) => events.value(key));
  const last = `${moment(asOfMs)}${group.strictly ? " - interval 1 microsecond" : ""}`;
  const values = group.features.map(({ plan }) => aggregateAt(plan, eventTime, last));
  return `select ${[...keys, ...values].join(", ")} from ${events.from()}
    where s.${availableColumn} <= ${last} and ${keys.map((k) => `${k} is not null`).join(" and ")}
    group by ${keys.map((_, i) => i + 1).join(", ")}`;
}

function aggregateAt(
  { aggregate, where, windowDays }: AggregatePlan,
  eventTime: string,
  last: string,
): string {
  const recent =
    windowDays === undefined
      ? "true"
      : `s.${availableColumn} > ${last} - interval ${windowDays} day`;
  const only = `filter (where ${allOf(where ?? [], (c) => `s.${id(c)}`)} and ${recent})`;
  switch (aggregate.op) {
    case "count":
      return `count(*) ${only}`;
    case "count-distinct":
      return `count(distinct s.${id(aggregate.column)}) ${only}`;
    case "sum":
      return `cast(coalesce(sum(s.${id(aggregate.column)}) ${only}, 0) as bigint)`;
    case "latest":
      return `arg_max_null(s.${id(aggregate.column)}, s.heddle_order) ${only}`;
    case "latest-time":
      return `max(s.${id(eventTime)}) ${only}`;
  }
}

/** The offers of the newest event time of each key. */
function offersAt(plan: DatasetPlan, source: string, item: string, asOfMs: number): string {
  const { eventTime = "" } = present(plan.sources[source], source).definition;
  const key = offerKey(plan);
  const known = `select * from ${eventsOf(source)} where ${availableColumn} <= ${moment(asOfMs)}`;
  const by = key.length === 0 ? "" : `group by ${key.map(id).join(", ")}`;
  const same = [
    ...(key.length === 0 ? [] : [equal(key, "o", "n")]),
    `o.${id(eventTime)} = n.newest`,
  ];
  return `select ${[...key, item, ...offerColumns(plan)].map((c) => `o.${id(c)}`).join(", ")} from (${known}) o
    join (select ${[...key.map(id), `max(${id(eventTime)}) as newest`].join(", ")} from (${known}) ${by}) n
    on ${same.join(" and ")}`;
}

async function pack(db: Duckdb, keyColumns: number, sql: string): Promise<Packed> {
  const packer = openPacker();
  for await (const chunk of db.chunks(sql)) {
    const { rowCount, columnCount } = chunk;
    const columns = Array.from({ length: columnCount }, (_, i) => chunk.getColumnValues(i));
    for (let row = 0; row < rowCount; row++) {
      const values = columns.map((column) => jsonOf(column[row]));
      packer.add(values.slice(0, keyColumns).map(String), JSON.stringify(values.slice(keyColumns)));
    }
  }
  return packer.rows();
}

/** A DuckDB value as JSON: 64-bit integers beyond a double's as text, times in milliseconds. */
function jsonOf(value: unknown): Json {
  if (value === null || value === undefined) return null;
  if (typeof value === "bigint") {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : String(value);
  }
  if (typeof value === "object") {
    return Math.floor(Number((value as DuckDBTimestampValue).micros) / 1000);
  }
  return value as number | boolean | string;
}
