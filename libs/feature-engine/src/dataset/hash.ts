import { id } from "../duckdb/sql.ts";

/**
 * Stable choices in SQL: the same in every engine and version, because they are made of MD5 once per
 * key and of plain 64-bit integer arithmetic per pair, never of an engine's own hash.
 */
const mask31 = 2147483647;

/** 31 well-mixed bits of (seed, values), for rows of few. */
export function keyHash(seed: number, columns: readonly string[], table: string): string {
  const parts = columns.map((c) => `coalesce(cast(${table}.${id(c)} as varchar), '')`).join(", ");
  const words = `concat_ws(chr(31), '${seed}'${parts === "" ? "" : `, ${parts}`})`;
  return `cast(md5_number_lower(${words}) & ${mask31} as bigint)`;
}

/**
 * 31 well-mixed bits of two of them, cheap enough for every pair of visit and candidate. For a fixed
 * left side it is a bijection of the right, so distinct items never tie.
 *
 * @source the constants: Wellons, "Prospecting for hash functions", 2018 (lowbias32), products kept below 2^63.
 */
export function pairHash(left: string, right: string): string {
  const step = (x: string, shift: number, factor: number): string =>
    `((xor(${x}, ${x} >> ${shift}) * ${factor}) & ${mask31})`;
  const first = `xor(${left}, ${right})`;
  const mixed = step(step(first, 15, 0x45d9f3b), 14, 0x2c1b3c6d);
  return `xor(${mixed}, ${mixed} >> 16)`;
}

/** One more than the greatest hash. */
export const hashRange = mask31 + 1;
