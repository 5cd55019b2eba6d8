import { HeddleError } from "@heddle/base";
import type { SourceDefinition } from "@heddle/sdk";
import type { Duckdb } from "../duckdb/duckdb.ts";
import { checkRows, isWholeRow } from "./ingest-check.ts";
import { readEventFile } from "./ingest-read.ts";
import { pseudonymise } from "./pseudonym.ts";
import { hashTable } from "../partition/row-hash.ts";
import {
  availableColumn,
  equal,
  id,
  parquetFiles,
  same,
  storedTypes,
  text,
} from "../duckdb/sql.ts";
import type { IngestTask, ExistingSegment, IngestResult } from "./ingest-task.ts";

/**
 * Turns an event file into a segment: checked whole against the declared columns, the subject under
 * its pseudonym, each event once, rows in the order subject, event time, event id.
 *
 * @throws {HeddleError} INVALID_ARGUMENT UNREADABLE_FILE, EMPTY_FILE, UNKNOWN_COLUMN, MISSING_COLUMN, WRONG_TYPE,
 * NOT_A_NUMBER, FUTURE_EVENT, TIME_TOO_EARLY, TIME_ZONE_MIXED, each naming source, file, column, first row and remedy. Nothing is written then.
 */
export async function ingestFile(db: Duckdb, task: IngestTask): Promise<IngestResult> {
  try {
    const arrived = await readEventFile(db, task);
    const leftOut = await checkRows(db, task);
    await pseudonymise(db, "incoming", task.source, task.pseudonymKeyHex);
    const existing = await overlapping(db, task);
    await keepNew(db, task.source, existing);
    const events = await db.count("select count(*) from fresh");
    const duplicates = arrived - leftOut.length - events;
    const counted = {
      ...{ events, duplicates },
      differing:
        duplicates > 0 && task.leaveOut !== true
          ? await countDiffering(db, task.source, existing)
          : 0,
      ...(task.leaveOut === true && { leftOut }),
    };
    return events === 0 ? counted : { ...counted, segment: await writeSegment(db, task) };
  } finally {
    for (const table of ["incoming", "fresh"]) await db.run(`drop table if exists ${table}`);
  }
}

/** `fresh`: the first of each event id, less those that an existing segment holds; in canonical order. */
async function keepNew(
  db: Duckdb,
  source: SourceDefinition,
  existing: readonly string[],
): Promise<void> {
  const ids = source.eventId.map(id).join(", ");
  const known =
    existing.length === 0
      ? ""
      : `anti join (select ${ids} from ${parquetFiles(existing)}) k on ${(isWholeRow(source) ? same : equal)(source.eventId, "i", "k")}`;
  const columns = Object.keys(source.columns).map(id).join(", ");
  await db.run(`create or replace temp table fresh as
    select ${columns}${source.eventTime === undefined ? "" : `, ${available(source)} as ${availableColumn}`}
    from (select i.* from incoming i
      semi join (select min(heddle_row) as first from incoming group by ${ids}) f on f.first = i.heddle_row
      ${known})
    order by ${canonicalOrder(source)}`);
}

/** Rows of `incoming` whose id is that of an event which is kept, `fresh` or in a segment, and which say something else. */
async function countDiffering(
  db: Duckdb,
  source: SourceDefinition,
  existing: readonly string[],
): Promise<number> {
  const { eventId, columns } = source;
  if (isWholeRow(source)) return 0;
  const all = Object.keys(columns);
  const kept = ["fresh", ...(existing.length === 0 ? [] : [parquetFiles(existing)])];
  const differing = kept.map(
    (events) => `select heddle_row from incoming i join ${events} k
      on ${equal(eventId, "i", "k")} where not (${same(all, "i", "k")})`,
  );
  return db.count(`select count(*) from (${differing.join(" union all ")})`);
}

/** Paths of the segments whose event ids can be those of the file, as far as whole numbers in them tell. */
async function overlapping(db: Duckdb, { source, existing }: IngestTask): Promise<string[]> {
  if (existing.length === 0) return [];
  // Ranges say nothing of empty values.
  if (isWholeRow(source)) return existing.map(({ path }) => path);
  const arrived = await rangesOf(db, source, "incoming");
  const overlaps = ({ ranges }: ExistingSegment): boolean =>
    source.eventId.every((column) => {
      const [own, other] = [arrived[column], ranges[column]];
      return own === undefined || other === undefined || (own[0] <= other[1] && own[1] >= other[0]);
    });
  return existing.filter(overlaps).map(({ path }) => path);
}

/** Subject first, so that one person's rows lie together; then time; then the event id, which no two rows share. */
function canonicalOrder({ subject, eventTime, eventId }: SourceDefinition): string {
  const first = [subject, eventTime].filter((c) => c !== undefined);
  return [...new Set([...first, ...eventId])].map(id).join(", ");
}

function available({ available, eventTime = "" }: SourceDefinition): string {
  if (available.rule === "at-event") return id(eventTime);
  if (available.rule === "column") return id(available.column);
  const day = `date_trunc('day', ${id(eventTime)})`;
  return `cast(${day} + interval 1 day + interval '${available.at}:00' as timestamp)`;
}

async function writeSegment(
  db: Duckdb,
  task: IngestTask,
): Promise<NonNullable<IngestResult["segment"]>> {
  const { source, target } = task;
  const timed = source.eventTime !== undefined;
  const stored = Object.entries(source.columns).map(([name, type]) => ({
    name,
    type: storedTypes[type],
  }));
  const columns = timed ? [...stored, { name: availableColumn, type: "TIMESTAMP" }] : stored;
  const rowHash = await hashTable(db, "fresh", columns);
  await db.run(`copy fresh to ${text(target)} (format parquet, compression zstd)`);
  const times = timed ? await timeBounds(db, source.eventTime ?? "") : noTimes;
  return { rowHash, ...times, ranges: await rangesOf(db, source, "fresh") };
}

const noTimes = {
  eventTimeMinMs: 0,
  eventTimeMaxMs: 0,
  availableTimeMinMs: 0,
  availableTimeMaxMs: 0,
};

async function timeBounds(db: Duckdb, eventTime: string): Promise<typeof noTimes> {
  const ms = (of: string): string => `cast(epoch_ms(${of}) as double)`;
  const [row] = await db.rows<
    typeof noTimes
  >(`select ${ms(`min(${id(eventTime)})`)} as "eventTimeMinMs",
    ${ms(`max(${id(eventTime)})`)} as "eventTimeMaxMs", ${ms(`min(${availableColumn})`)} as "availableTimeMinMs",
    ${ms(`max(${availableColumn})`)} as "availableTimeMaxMs" from fresh`);
  if (row === undefined) throw new HeddleError("INTERNAL", "NO_BOUNDS", "a segment has rows");
  return row;
}

async function rangesOf(
  db: Duckdb,
  { columns, subject }: SourceDefinition,
  table: string,
): Promise<Record<string, [number, number]>> {
  const names = Object.keys(columns).filter((c) => columns[c] === "int64" && c !== subject);
  if (names.length === 0) return {};
  const bounds = names.flatMap((c) => [`min(${id(c)})`, `max(${id(c)})`]);
  const cast = bounds.map((b, i) => `cast(${b} as double) as b${i}`);
  const [row] = await db.rows<Record<string, number | null>>(
    `select ${cast.join(", ")} from ${table}`,
  );
  const ranges: Record<string, [number, number]> = {};
  names.forEach((name, i) => {
    const [low, high] = [row?.[`b${2 * i}`] ?? null, row?.[`b${2 * i + 1}`] ?? null];
    if (Number.isSafeInteger(low) && Number.isSafeInteger(high)) {
      ranges[name] = [low as number, high as number];
    }
  });
  return ranges;
}
