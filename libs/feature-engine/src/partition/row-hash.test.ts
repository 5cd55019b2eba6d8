import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { after, before, test } from "node:test";
import { type Duckdb, openDuckdb } from "../duckdb/duckdb.ts";
import { columnHasher, hashTable } from "./row-hash.ts";

let db: Duckdb;
before(async () => {
  db = await openDuckdb({ threads: 4, memoryBytesMax: 64 << 20, tempFolder: tmpdir() });
});
after(() => db[Symbol.asyncDispose]());

const columns = [
  { name: "t", type: "VARCHAR" },
  { name: "n", type: "BIGINT" },
];
const hashOf = async (rows: string): Promise<string> => {
  await db.run(`create or replace temp table h as ${rows}`);
  return hashTable(db, "h", columns);
};

test("equal rows have equal hashes, whatever their strings share a vector with or came from", async () => {
  const short = "select 'w' || (i % 7) as t, i::bigint as n from range(5000) r(i)";
  // The text of a substring of a long one has been somewhere else before.
  const cut =
    "select substr(repeat('x', 20) || 'w' || (i % 7), 21) as t, i::bigint as n from range(5000) r(i)";
  assert.equal(await hashOf(short), await hashOf(cut));
  const long = (n: number) =>
    `select case when i = ${n} then repeat('é', 9) else 'w' end as t, i::bigint as n from range(3000) r(i)`;
  assert.equal(await hashOf(long(17)), await hashOf(long(17)));
  assert.notEqual(await hashOf(long(17)), await hashOf(long(18)));
});

test("null, the empty text and 0 are different", async () => {
  const hashes = [];
  for (const t of ["null", "''", "'0'"])
    hashes.push(await hashOf(`select cast(${t} as varchar) as t, 0::bigint as n`));
  for (const n of ["null", "1"])
    hashes.push(await hashOf(`select '' as t, cast(${n} as bigint) as n`));
  assert.equal(new Set(hashes).size, hashes.length);
});

test("dictionaries whose words run together alike are different", () => {
  const digestOf = (...dictionary: string[]): string => {
    const hasher = columnHasher();
    hasher.values(Int32Array.of(0, 1));
    return hasher.digest("c", "category", dictionary, 2);
  };
  assert.notEqual(digestOf("ab", "c"), digestOf("a", "bc"));
});
