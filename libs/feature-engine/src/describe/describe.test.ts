import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { describeTable } from "./describe.ts";
import { type Duckdb, openDuckdb } from "../duckdb/duckdb.ts";

let db: Duckdb;
const folder = mkdtempSync(join(tmpdir(), "heddle-describe-"));
before(async () => {
  db = await openDuckdb({ threads: 2, memoryBytesMax: 64 << 20, tempFolder: folder });
});
after(async () => {
  await db[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

/** Rows 0 to 199; the label is true for every fourth, and not known for one. */
const table = (): string => {
  const path = join(folder, "table.csv");
  const lines = Array.from({ length: 200 }, (_, i) => {
    const left = i % 4 === 0;
    return [
      i === 7 ? "" : left,
      left ? -i - 1 : i,
      left ? "" : "2025-01-01",
      left ? `closed on ${i}` : "",
      `c${i % 3}`,
      `${left ? "n" : "y"}${i % 2}`,
      i % 10,
    ].join();
  });
  writeFileSync(path, `left,balance,renewed,reason,city,plan,week\n${lines.join("\n")}\n`);
  return path;
};

test("a column that tells the label by its order, its values or its being there is known by that", async () => {
  const { rows, columns } = await describeTable(db, table(), "left");
  const tells = Object.fromEntries(columns.map(({ name, tells }) => [name, tells]));
  assert.equal(rows, 200);
  assert.deepEqual(tells, {
    ...{ left: undefined, balance: 1, renewed: 1, reason: 1, plan: 1 },
    ...{ city: tells["city"], week: tells["week"] },
  });
  assert.ok((tells["city"] ?? 1) < 0.6 && (tells["week"] ?? 1) < 0.6);
});

test("without a label of two values nothing is told", async () => {
  for (const label of [undefined, "city", "nothing"]) {
    const { columns } = await describeTable(db, table(), label);
    assert.ok(columns.every(({ tells }) => tells === undefined));
    assert.deepEqual(columns.find(({ name }) => name === "left")?.nulls, 1);
  }
});

test("digits that are a name stay text, for as numbers they would lose some", async () => {
  const path = join(folder, "digits.csv");
  const rows = Array.from({ length: 20 }, (_, i) =>
    [`010${10 + i}`, `999999999999999999${10 + i}`, `90071992547409${10 + i}`, `0.${i}`, i].join(),
  );
  writeFileSync(path, `zip,long,id,share,count\n${rows.join("\n")}\n`);
  const { columns } = await describeTable(db, path);
  assert.deepEqual(
    columns.map(({ name, type, distinct }) => [name, type, distinct]),
    [
      ["zip", "string", 20],
      ["long", "string", 20],
      ["id", "int64", 20],
      ["share", "float64", 19],
      ["count", "int64", 20],
    ],
  );
});
