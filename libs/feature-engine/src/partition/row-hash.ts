import { createHash, type Hash } from "node:crypto";
import type { Duckdb } from "../duckdb/duckdb.ts";
import { id } from "../duckdb/sql.ts";
import { bytesOf, type NumberItems, readBits, readNumbers, readTexts } from "./vectors.ts";

/**
 * The canonical encoding of a column, fed piece by piece: rows that are equal have equal hashes
 * whatever file, engine or number of threads they came from. It is the SHA-256 of the little-endian
 * values in row order, and of one validity byte a row; a null's value is 0.
 */
export interface ColumnHasher {
  values(values: NumberItems): void;
  validity(valid: Uint8Array): void;
  /** Name, type, dictionary and row count, then both digests. */
  digest(name: string, type: string, dictionary: readonly string[], rows: number): string;
}

export function columnHasher(): ColumnHasher {
  const values = createHash("sha256");
  const validity = createHash("sha256");
  return {
    values: (items) => void values.update(bytesOf(items)),
    validity: (items) => void validity.update(items),
    digest: (name, type, dictionary, rows) => {
      const whole = createHash("sha256");
      whole.update(JSON.stringify([name, type, rows, dictionary.length]));
      for (const entry of dictionary) updateText(whole, entry);
      return whole.update(values.digest()).update(validity.digest()).digest("hex");
    },
  };
}

/** The name of rows: SHA-256 over their columns' digests, in order. */
export function rowHashOf(columnDigests: readonly string[]): string {
  return createHash("sha256").update(columnDigests.join("\n")).digest("hex");
}

function updateText(hash: Hash, value: string): void {
  hash.update(`${Buffer.byteLength(value)}:`);
  hash.update(value);
}

/**
 * The row hash of a table in its own order; text is encoded as `readTexts` says.
 *
 * @param columns DuckDB types BIGINT, DOUBLE, BOOLEAN, TIMESTAMP or VARCHAR.
 */
export async function hashTable(
  db: Duckdb,
  table: string,
  columns: readonly { readonly name: string; readonly type: string }[],
): Promise<string> {
  const hashers = columns.map(() => columnHasher());
  const selected = columns.flatMap(({ name, type }) => [
    valueOf(name, type),
    `${id(name)} is not null`,
  ]);
  let rows = 0;
  for await (const chunk of db.chunks(`select ${selected.join(", ")} from ${table}`)) {
    rows += chunk.rowCount;
    hashers.forEach((hasher, i) => {
      const vector = chunk.getColumnVector(2 * i);
      if (columns[i]?.type === "VARCHAR") hasher.values(readTexts(vector, chunk.rowCount));
      else hasher.values(readNumbers(vector));
      hasher.validity(readBits(chunk.getColumnVector(2 * i + 1)));
    });
  }
  return rowHashOf(
    hashers.map((h, i) => h.digest(columns[i]?.name ?? "", columns[i]?.type ?? "", [], rows)),
  );
}

function valueOf(name: string, type: string): string {
  if (type === "VARCHAR") return `coalesce(${id(name)}, '')`;
  if (type === "TIMESTAMP") return `coalesce(epoch_us(${id(name)}), 0)`;
  return type === "BOOLEAN"
    ? `cast(coalesce(${id(name)}, false) as bigint)`
    : `coalesce(${id(name)}, 0)`;
}
