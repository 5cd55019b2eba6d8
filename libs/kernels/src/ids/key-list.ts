import { createHash } from "node:crypto";
import { halvesOf } from "./ids.ts";

/**
 * The name by which two sides speak of a list of ids that both have: the first 8 bytes of its SHA-256, little-endian. Never 0,
 * which names none.
 */
export function keyListName(ids: BigUint64Array): bigint {
  const name = createHash("sha256").update(halvesOf(ids)).digest().readBigUInt64LE(0);
  return name === 0n ? 1n : name;
}
