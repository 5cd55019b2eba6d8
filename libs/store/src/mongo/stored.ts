import type { ObjectId } from "mongodb";
import { recordCorrupt } from "../errors.ts";
import type { Stored } from "../port.ts";
import { checksumOf } from "../record.ts";

/**
 * A document as it lies in MongoDB. Its value is JSON text and not fields: whatever keys it has (`$set`, `a.b`, `__proto__`) it comes
 * back byte for byte, its checksum means the same bytes as in the embedded backend, and in mongosh `JSON.parse(doc.value)` shows it.
 */
export interface MongoDocument {
  /** The key. Strings are ordered by their UTF-8 bytes when a collection has no collation. */
  readonly _id: string;
  readonly revision: number;
  /** JSON. */
  readonly value: string;
  /** CRC-32 of the revision (float64, little-endian) and the value. */
  readonly crc32: number;
  /** There only when set, so that the index of it holds only what is pending. */
  readonly pending?: true;
  /** The writes that made the newest revisions, newest first, at most `writesKept`. */
  readonly writes: readonly ObjectId[];
}

/**
 * How many writes a document remembers: a writer that does not know how its write ended finds out unless more than this came after it.
 */
export const writesKept = 8;

/** @throws {HeddleError} DATA_LOSS RECORD_CORRUPT when its fields or its checksum do not hold. */
export function openDocument<T>(document: MongoDocument, place: string): Stored<T> {
  const { _id: key, revision, value, crc32 } = document as Partial<MongoDocument>;
  if (
    typeof key !== "string" ||
    typeof revision !== "number" ||
    typeof value !== "string" ||
    checksumOf(revision, value) !== crc32
  ) {
    throw recordCorrupt(`document ${place}/${String(key)}`);
  }
  return { key, value: JSON.parse(value) as T, revision };
}
