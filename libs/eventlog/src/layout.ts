import { openRecord, sealRecord } from "@heddle/store";
import { recordTooLarge, topicInvalid } from "./errors.ts";
import { type LogRecord, type NewRecord, recordBytesMax } from "./port.ts";

const topicPattern = /^[a-zA-Z0-9._-]{1,200}(\.dead-letter)?$/;
const positionBytes = 10;

/** @throws {HeddleError} INVALID_ARGUMENT TOPIC_INVALID. Names have no zero byte, so that keys can end them with one. */
export function checkTopic(topic: string): void {
  if (!topicPattern.test(topic)) throw topicInvalid(topic);
}

/** Key of a record: topic, zero, partition, offset, big-endian, so that LMDB's order is the log's. */
export function recordKey(topic: string, partition: number, offset: number): Buffer {
  const key = Buffer.alloc(topic.length + 1 + positionBytes);
  key.write(topic, "latin1");
  key.writeUInt16BE(partition, topic.length + 1);
  key.writeBigUInt64BE(BigInt(offset), topic.length + 3);
  return key;
}

export function partitionKey(...names: readonly (string | number)[]): Buffer {
  return Buffer.from(names.join("\0"));
}

/** What counts against the limit of a record: key, headers as JSON, value. */
export function recordBytes({ key, headers, value }: NewRecord): number {
  return Buffer.byteLength(key) + Buffer.byteLength(JSON.stringify(headers)) + value.byteLength;
}

/** @throws {HeddleError} INVALID_ARGUMENT RECORD_TOO_LARGE above `bytesMax`. */
export function checkSize(topic: string, record: NewRecord, bytesMax: number): void {
  const bytes = recordBytes(record);
  if (bytes > bytesMax) throw recordTooLarge(topic, record.key, bytes);
}

/**
 * Bytes of a record: its sealed time, then lengths, key and headers, and the value as it came.
 *
 * @throws {HeddleError} INVALID_ARGUMENT RECORD_TOO_LARGE above `bytesMax`.
 */
export function encodeRecord(
  topic: string,
  record: NewRecord,
  timeMs: number,
  bytesMax: number = recordBytesMax,
): Buffer {
  checkSize(topic, record, bytesMax);
  const key = Buffer.from(record.key);
  const headers = Buffer.from(JSON.stringify(record.headers));
  const lengths = Buffer.alloc(8);
  lengths.writeUInt32LE(key.length, 0);
  lengths.writeUInt32LE(headers.length, 4);
  return sealRecord(timeMs, lengths, key, headers, record.value);
}

/** @throws {HeddleError} DATA_LOSS RECORD_CORRUPT when it is not as it was written. */
export function decodeRecord(topic: string, key: Buffer, sealed: Buffer): LogRecord {
  const partition = key.readUInt16BE(topic.length + 1);
  const offset = Number(key.readBigUInt64BE(topic.length + 3));
  const { number, body } = openRecord(sealed, `record ${offset} of topic ${topic}`);
  const keyEnd = 8 + body.readUInt32LE(0);
  const headersEnd = keyEnd + body.readUInt32LE(4);
  return {
    topic,
    partition,
    offset,
    timeMs: number,
    key: body.toString("utf8", 8, keyEnd),
    headers: JSON.parse(body.toString("utf8", keyEnd, headersEnd)) as Record<string, string>,
    // A copy: a slice would keep the whole record, and share its memory with whoever else reads it.
    value: new Uint8Array(body.subarray(headersEnd)),
  };
}
