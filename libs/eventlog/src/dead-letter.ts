import { recordBytes } from "./layout.ts";
import { type LogRecord, type NewRecord, recordBytesMax } from "./port.ts";

const reasonCharactersMax = 1_000;

/** The largest record, with room for what a dead letter has beside it. */
export const letterBytesMax = recordBytesMax + (16 << 10);

/** Of a value that is larger than a record may be; the rest stays where the record lies. */
const shownBytes = 64 << 10;
/** As much of key and headers comes along with it. */
const shownHeadBytes = 8 << 10;

/**
 * The record as it was, and why it is here; `dead_letter_*` headers name its place and, after a handler, its tries. Producers of others
 * may have written one that is larger than `recordBytesMax`: of it the letter shows the beginning, and says how large it is, for a letter
 * that nobody takes would hold up its partition.
 */
export function letterOf(record: LogRecord, reason: string, tries?: number): NewRecord {
  const { key, value, headers } = recordBytes(record) > recordBytesMax ? shown(record) : record;
  return {
    ...{ key, value },
    headers: {
      ...headers,
      dead_letter_reason: reason.slice(0, reasonCharactersMax),
      ...(tries !== undefined && { dead_letter_tries: String(tries) }),
      dead_letter_topic: record.topic,
      dead_letter_partition: String(record.partition),
      dead_letter_offset: String(record.offset),
    },
  };
}

function shown(record: LogRecord): NewRecord {
  const size = { dead_letter_record_bytes: String(recordBytes(record)) };
  const value = record.value.subarray(0, shownBytes);
  const headBytes = recordBytes({ ...record, value: new Uint8Array() });
  if (headBytes > shownHeadBytes) return { key: "", value, headers: size };
  return { key: record.key, value, headers: { ...record.headers, ...size } };
}
