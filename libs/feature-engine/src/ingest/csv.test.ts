import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { describeTable } from "../describe/describe.ts";
import { type Duckdb, openDuckdb } from "../duckdb/duckdb.ts";

let db: Duckdb;
const folder = mkdtempSync(join(tmpdir(), "heddle-csv-"));
before(async () => {
  db = await openDuckdb({ threads: 1, memoryBytesMax: 64 << 20, tempFolder: folder });
});
after(async () => {
  await db[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const described = (bytes: string | Buffer, encoding: BufferEncoding = "utf8") => {
  const path = join(folder, "table.csv");
  writeFileSync(path, typeof bytes === "string" ? Buffer.from(bytes, encoding) : bytes);
  return describeTable(db, path);
};

const mistakes: readonly [what: string, file: string | Buffer, message: RegExp, as?: "latin1"][] = [
  [
    "semicolons",
    "a;b\n1;2\n",
    /first line has no comma and is separated by ";"; separate .* commas/,
  ],
  ["tabs", "a\tb\n1\t2\n", /separated by tabs; separate .* commas/],
  ["UTF-16", Buffer.from("\ufeffa,b\n1,2\n", "utf16le"), /written in UTF-16; write it in UTF-8/],
  ["Latin-1 in a row", "a,b\n1,é\n", /line 2 is not UTF-8; write it in UTF-8/, "latin1"],
  ["Latin-1 in a name", "a,é\n1,2\n", /first line is not UTF-8; write it in UTF-8/, "latin1"],
  ["a name twice", "a,b,a\n1,2,3\n", /names a column twice: "a"; give each/],
  ["a name in two cases", "plan,b,Plan\n1,2,3\n", /names a column twice: "plan" and "Plan"/],
  ["no name", "a,,c\n1,2,3\n", /column 2 has no name in its first line; name it/],
  ["an empty first line", "\na,b\n", /first line is empty; name its columns/],
  ["more values", "a,b\n1,2\n1,2,3\n", /line 3 has 3 values, and its first line names 2 columns/],
  ["fewer values", "a,b\n1,2\n1\n", /line 3 has 1 values, and its first line names 2 columns/],
  ["an open quote", 'a,b\n1,"2\n', /a quote that line 2 opens is not closed; write a quote/],
  ["a huge line", `a,b\n1,${"x".repeat(3 << 20)}\n`, /line 2 is longer than 2 MB; leave long/],
  ["JSON lines", '{"a": 1, "b": 2}\n', /it is JSON; write it as CSV/],
  ["a JSON array", '[\n  { "a": 1 }\n]\n', /it is JSON; write it as CSV/],
  ["a workbook", "PK\u0003\u0004 and more", /workbook or a zip archive; save it as CSV/],
  ["gzip", Buffer.from([0x1f, 0x8b, 8, 0]), /it is compressed; unpack it/],
  ["Parquet", "PAR1", /it is Parquet; give it a name that ends in \.parquet/],
  ["bytes that are no text", Buffer.from([97, 0, 98, 10]), /it is no text; send a CSV file/],
];
for (const [what, file, message, encoding] of mistakes) {
  test(`a table with ${what} is refused, and the message says where and what to do`, async () => {
    await assert.rejects(described(file, encoding), (error: Error) => {
      assert.equal((error as Error & { reason: string }).reason, "UNREADABLE_TABLE");
      assert.match(error.message, message);
      assert.ok(error.message.length < 300 && !error.message.includes("\n"), error.message);
      return true;
    });
  });
}

test("a byte order mark, quoted names, line ends of other systems and empty last lines are no mistakes", async () => {
  const { rows, columns } = await described(
    '\ufeff"a","say ""b"", or c"\r\n1,"2,\r\n3"\r\n4,5\r\n\r\n',
  );
  assert.equal(rows, 2);
  assert.deepEqual(
    columns.map(({ name }) => name),
    ["a", 'say "b", or c'],
  );
});

test("columns have the types that an ingestion finds in them", async () => {
  const lines = [
    "whole,half,flag,when,zoned,day,german,none",
    "1,1.5,yes,2026-01-01T00:00:00,2026-01-01T00:00:00+02:00,2026-01-01,28.05.2026,",
    "2,2,no,2026-01-02 00:00:00,2026-01-02T00:00:00Z,2026-01-02,29.05.2026,",
  ];
  const { columns } = await described(lines.join("\n"));
  assert.deepEqual(Object.fromEntries(columns.map(({ name, type }) => [name, type])), {
    ...{ whole: "int64", half: "float64", flag: "boolean", german: "string", none: "string" },
    ...{ when: "timestamp", zoned: "timestamp", day: "timestamp" },
  });
});

test("a column of numbers but for one value names that one", async () => {
  const { columns } = await described("a,b\n1,1\n2,x\nn/a,y\n");
  const [a, b] = columns;
  assert.deepEqual(a?.odd, { most: "float64", count: 2, of: 3, row: 3, value: "n/a" });
  assert.deepEqual(b?.odd, { most: "float64", count: 1, of: 3, row: 2, value: "x" });
});

test("only two values that are true and false, or 0 and 1, can be a label", async () => {
  const { columns } = await described("a,b,c,d\n0,1,yes,0.5\n1,2,no,1\n,,,\n");
  assert.deepEqual(
    columns.map(({ binary }) => binary),
    [true, false, true, false],
  );
});
