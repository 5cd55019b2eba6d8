import { type LogRecord, type NewRecord, recordBytesMax } from "./port.ts";

const reasonCharactersMax = 1_000;

/** The largest record, with room for what a dead letter has beside it. */
export const letterBytesMax = recordBytesMax + (16 << 10);

/** The record as it was, and why it is here; `dead_letter_*` headers name its place and, after a handler, its tries. */
export function letterOf(record: LogRecord, reason: string, tries?: number): NewRecord {
  return {
    key: record.key,
    value: record.value,
    headers: {
      ...record.headers,
      dead_letter_reason: reason.slice(0, reasonCharactersMax),
      ...(tries !== undefined && { dead_letter_tries: String(tries) }),
      dead_letter_topic: record.topic,
      dead_letter_partition: String(record.partition),
      dead_letter_offset: String(record.offset),
    },
  };
}
