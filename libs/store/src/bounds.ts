import { assert, HeddleError } from "@heddle/base";
import { documentBytesMax } from "./port.ts";

const keyBytesMax = 512;
const listLimitMax = 1_000;

/** A key's bytes, by which every backend orders: a half surrogate pair is written as U+FFFD, so it reads back as that. */
export function keyOf(key: string): Buffer {
  const bytes = Buffer.from(key);
  if (bytes.length === 0 || bytes.length > keyBytesMax) {
    throw new HeddleError(
      "INVALID_ARGUMENT",
      "KEY_INVALID",
      `a document's key has 1 to ${keyBytesMax} bytes of UTF-8, not ${bytes.length}`,
    );
  }
  return bytes;
}

/**
 * A prefix of keys, or the key that a page begins behind: of any length, for callers send it. Beyond what a key can have only its order
 * counts, which one byte more keeps, and LMDB has no room for much more.
 */
export function boundOf(text: string): Buffer {
  return Buffer.from(text).subarray(0, keyBytesMax + 1);
}

/** A revision that a writer names comes from a read of ours: another thing is a bug, and would look like a race that never ends. */
export function checkRevision(expected: number): void {
  assert(
    Number.isSafeInteger(expected) && expected >= 0,
    `an expected revision is a whole number from 0 on, not ${expected}`,
  );
}

/** The JSON text of a value: what a backend stores, so that every backend gives back the same. */
export function encodeValue(place: string, value: unknown): string {
  const text = JSON.stringify(value);
  const bytes = Buffer.byteLength(text);
  if (bytes > documentBytesMax) {
    throw new HeddleError(
      "INVALID_ARGUMENT",
      "DOCUMENT_TOO_LARGE",
      `${place} would have ${bytes} bytes; a document has at most ${documentBytesMax}`,
    );
  }
  return text;
}

export function checkLimit(name: string, limit: number): void {
  if (Number.isInteger(limit) && limit >= 1 && limit <= listLimitMax) return;
  throw new HeddleError(
    "INVALID_ARGUMENT",
    "LIMIT_INVALID",
    `a page of ${name} has 1 to ${listLimitMax} documents, not ${limit}`,
  );
}
