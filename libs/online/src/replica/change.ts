import { HeddleError, messageOf } from "@heddle/base";
import type { LogRecord, NewRecord } from "@heddle/eventlog";
import { keyBytesMax, rangeOf, type Row, rowBytesMax } from "../row.ts";
import type { Aged } from "./judge.ts";

/** Of one key: its row, that it has none, or, of a view's own key, which generation of its rows counts. */
export type Said =
  | { readonly kind: "row"; readonly row: Aged }
  | { readonly kind: "removal" }
  | { readonly kind: "generation"; readonly generation: number };

/** What a record of the topic says. */
export interface Change {
  /** View, zero, entity key; the last is empty for the view itself. */
  readonly key: Buffer;
  readonly said: Said;
  /** By partition, what its writer had applied: all records before these offsets come before this one. */
  readonly after: readonly number[];
}

const cleared = new TextEncoder().encode("cleared");
const generationMax = 2 ** 32 - 1;
const offsetsPattern = /^\d{1,15}(,\d{1,15})*$/;

/** The key of the view that a key is of: up to the first zero. */
export const viewKeyOf = (key: Buffer): Buffer => key.subarray(0, key.indexOf(0) + 1);

/** The record of a change: the same key always has the same partition, and an empty value removes it from a compacted topic. */
export function recordOf({ key, said, after }: Change): NewRecord {
  const record = { key: key.toString(), headers: { after: after.join(",") } };
  if (said.kind === "removal") return { ...record, value: new Uint8Array() };
  const { generation } = said.kind === "row" ? said.row : said;
  const headers = { ...record.headers, generation: String(generation) };
  if (said.kind === "generation") return { ...record, headers, value: cleared };
  const { eventTimeMs, body } = said.row;
  return { ...record, headers: { ...headers, event_time_ms: String(eventTimeMs) }, value: body };
}

/**
 * Reads what `recordOf` wrote, and nothing else: others may write to the topic, too.
 *
 * @param partitions of the topic.
 * @throws {HeddleError} INVALID_ARGUMENT ONLINE_RECORD_INVALID with what is wrong.
 */
export function changeOf(record: LogRecord, partitions: number): Change {
  const key = Buffer.from(record.key);
  const at = record.key.indexOf("\0");
  if (at < 1 || key.length > keyBytesMax)
    throw invalid(record, "its key is no view and entity key");
  try {
    rangeOf(record.key.slice(0, at));
  } catch (error) {
    throw invalid(record, messageOf(error));
  }
  const after = offsetsOf(record, partitions);
  if (record.value.length === 0) return { key, said: { kind: "removal" }, after };
  const generation = Number(record.headers["generation"] ?? NaN);
  if (!Number.isInteger(generation) || generation < 0 || generation > generationMax) {
    throw invalid(record, "its generation is no whole number");
  }
  if (at === record.key.length - 1) return { key, said: { kind: "generation", generation }, after };
  return { key, said: { kind: "row", row: { ...rowOf(record), generation } }, after };
}

function offsetsOf(record: LogRecord, partitions: number): readonly number[] {
  const text = record.headers["after"] ?? "";
  const after = offsetsPattern.test(text) ? text.split(",").map(Number) : [];
  if (after.length === 0 || after.length > partitions) {
    throw invalid(record, `it names no offsets of the ${partitions} partitions to come after`);
  }
  if ((after[record.partition] ?? 0) > record.offset) {
    throw invalid(record, "it is to come after itself");
  }
  return after;
}

function rowOf(record: LogRecord): Row {
  const eventTimeMs = Number(record.headers["event_time_ms"] || NaN);
  if (!Number.isFinite(eventTimeMs)) throw invalid(record, "its event time is no number");
  if (record.value.length > rowBytesMax) {
    throw invalid(record, `it has ${record.value.length} bytes where a row has ${rowBytesMax}`);
  }
  const body = Buffer.from(record.value);
  try {
    const values: unknown = JSON.parse(body.toString());
    if (typeof values === "object" && values !== null && !Array.isArray(values)) {
      return { eventTimeMs, body };
    }
  } catch {
    // No JSON is no object of values.
  }
  throw invalid(record, "its values are no JSON object");
}

export function invalid({ topic, partition, offset }: LogRecord, problem: string): HeddleError {
  return new HeddleError(
    "INVALID_ARGUMENT",
    "ONLINE_RECORD_INVALID",
    `record ${offset} of topic ${topic}, partition ${partition}, is no change of online values: ${problem}; find out who wrote it, for only Heddle may write to this topic`,
  );
}
