import {
  type EventLog,
  type LogRecord,
  readLimitMax,
  recordBytesMax,
  unreadableHeader,
} from "@heddle/eventlog";
import type { LogRange } from "@heddle/base";
import type { SourceDefinition } from "@heddle/sdk";

/** Why a record is no event of its source. */
export interface Refusal {
  readonly record: LogRecord;
  readonly reason: string;
  readonly problem: string;
}

/** The records of a piece of the log, as many at once as it gives, partition by partition, in offset order. Offsets that hold no record are passed over. */
export async function* recordsOf(
  eventLog: Pick<EventLog, "read">,
  ranges: readonly LogRange[],
): AsyncIterable<readonly LogRecord[]> {
  for (const { topic, partition, from, to } of ranges) {
    for (let at = from; at < to;) {
      const some = await eventLog.read(topic, partition, at, Math.min(readLimitMax, to - at));
      const last = some.at(-1);
      if (last === undefined) break;
      yield some.filter(({ offset }) => offset < to);
      at = last.offset + 1;
    }
  }
}

const decoder = new TextDecoder("utf-8", { fatal: true });

/** The record as one line of a JSON lines file, as it was written; else why it is none. */
export function lineOf(
  record: LogRecord,
  { columns }: SourceDefinition,
): string | Omit<Refusal, "record"> {
  const unreadable = record.headers[unreadableHeader];
  if (unreadable !== undefined) return { reason: "UNREADABLE_EVENT", problem: unreadable };
  const { length } = record.value;
  // Brokers take more of others' producers; the engine would refuse all of the window for one.
  if (length > recordBytesMax) {
    const problem = `it has ${length} bytes; an event has at most ${recordBytesMax}`;
    return { reason: "RECORD_TOO_LARGE", problem };
  }
  let text: string;
  let event: unknown;
  try {
    text = decoder.decode(record.value);
    event = JSON.parse(text);
  } catch {
    return { reason: "UNREADABLE_EVENT", problem: "it is no JSON" };
  }
  if (typeof event !== "object" || event === null || Array.isArray(event)) {
    return { reason: "UNREADABLE_EVENT", problem: "it is no JSON object" };
  }
  const unknown = Object.keys(event).find((column) => !Object.hasOwn(columns, column));
  if (unknown !== undefined) {
    const problem = `it has a column ${JSON.stringify(unknown.slice(0, 100))} that the source does not declare`;
    return { reason: "UNKNOWN_COLUMN", problem };
  }
  if (hasHalfCharacter(text)) {
    return { reason: "UNREADABLE_EVENT", problem: "a text of it has half of a surrogate pair" };
  }
  // Between its tokens a line break is a blank; within a text there is none.
  return text.replaceAll(/[\r\n]+/g, " ");
}

/** JSON may have halves of characters as escapes, and JavaScript reads them; the engine would refuse all of the window for one. */
function hasHalfCharacter(json: string): boolean {
  if (!json.includes(String.raw`\u`)) return false;
  // An escaped backslash begins no escape.
  const escapes = json.replaceAll(String.raw`\\`, "  ");
  return /\\ud[89ab][0-9a-f]{2}(?!\\ud[c-f])|(?<!\\ud[89ab][0-9a-f]{2})\\ud[c-f]/i.test(escapes);
}
