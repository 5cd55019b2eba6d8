import { createHmac } from "node:crypto";
import type { SourceDefinition } from "@heddle/sdk";
import type { Duckdb } from "../duckdb/duckdb.ts";
import { id, text } from "../duckdb/sql.ts";

/**
 * The pseudonym of a subject: a keyed hash, so that whoever lacks the key can neither find nor guess
 * the person. The same key and subject give the same pseudonym in every source.
 *
 * @param keyHex the secret key, hexadecimal.
 * @param subject the raw identity as text.
 * @returns 63 bits for an `int64` column, 32 hexadecimal digits for text.
 * @source HMAC-SHA-256, RFC 2104.
 */
export function pseudonymOf(
  keyHex: string,
  subject: string,
  type: "int64" | "string",
): bigint | string {
  const digest = createHmac("sha256", Buffer.from(keyHex, "hex")).update(subject).digest();
  return type === "int64"
    ? digest.readBigUInt64BE(0) >> 1n
    : digest.subarray(0, 16).toString("hex");
}

const rowsPerInsert = 5_000;

/** Replaces the subject column of a table by pseudonyms. */
export async function pseudonymise(
  db: Duckdb,
  table: string,
  { subject, columns }: SourceDefinition,
  keyHex: string,
): Promise<void> {
  if (subject === undefined) return;
  const type = columns[subject] === "int64" ? "int64" : "string";
  const column = id(subject);
  const known = await db.texts(`select distinct cast(${column} as varchar) from ${table}`);
  const sqlType = type === "int64" ? "BIGINT" : "VARCHAR";
  await db.run(`create or replace temp table pseudonyms (raw VARCHAR, pseudonym ${sqlType})`);
  try {
    for (let from = 0; from < known.length; from += rowsPerInsert) {
      const rows = known.slice(from, from + rowsPerInsert).map((raw) => {
        const pseudonym = pseudonymOf(keyHex, raw, type);
        return `(${text(raw)}, ${typeof pseudonym === "bigint" ? pseudonym : text(pseudonym)})`;
      });
      await db.run(`insert into pseudonyms values ${rows.join(", ")}`);
    }
    await db.run(`update ${table} set ${column} = p.pseudonym from pseudonyms p
      where cast(${table}.${column} as varchar) = p.raw`);
  } finally {
    await db.run("drop table pseudonyms");
  }
}
