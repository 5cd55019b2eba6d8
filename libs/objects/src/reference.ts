import { crc32 } from "node:zlib";
import type { ObjectInfo } from "./port.ts";
import { objectCorrupt } from "./errors.ts";

/** What a name stands for: digest and size of its bytes, and the file under `data` that holds them. */
export interface Reference extends ObjectInfo {
  readonly file: string;
}

/** One line of JSON and its CRC-32. */
export function writeReference(reference: Reference): Buffer {
  const text = JSON.stringify(reference);
  return Buffer.from(`${text}\n${crc32(text)}\n`);
}

/** @throws {HeddleError} DATA_LOSS OBJECT_CORRUPT when the line is not as it was written. */
export function readReference(name: string, bytes: Buffer): Reference {
  const [text = "", check] = bytes.toString().split("\n");
  if (check !== String(crc32(text)))
    throw objectCorrupt(name, "the record of its digest is damaged");
  return JSON.parse(text) as Reference;
}
