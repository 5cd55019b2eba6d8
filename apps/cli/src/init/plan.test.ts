import assert from "node:assert/strict";
import { test } from "node:test";
import type { ColumnType } from "@heddle/sdk";
import { planInit } from "./plan.ts";

const column = (name: string, type: ColumnType, distinct: number) => ({
  name,
  type,
  distinct,
  nulls: 0,
  binary: type === "int64" && distinct === 2,
});
const table = {
  rows: 100,
  columns: [
    column("row", "int64", 100),
    column("customer_id", "int64", 80),
    column("store_id", "int64", 20),
    column("paid", "int64", 90),
    column("signed", "timestamp", 95),
    column("note", "string", 100),
    column("country", "string", 4),
    column("planet", "string", 1),
    column("churned", "int64", 2),
  ],
};
const choices = { name: "churn", label: "churned" };
const names = (columns: readonly { readonly name: string }[]) => columns.map(({ name }) => name);

test("columns that say nothing of other rows are left out, each with its reason", () => {
  const { numbers, categories, leftOut } = planInit(table, choices);
  assert.deepEqual(names(numbers), ["store_id", "paid"]);
  assert.deepEqual(names(categories), ["country"]);
  const why = new Map(leftOut.map((one) => [one.column, one.why]));
  assert.deepEqual([...why.keys()], ["row", "customer_id", "signed", "note", "planet"]);
  assert.match(why.get("row") ?? "", /identifies the row/);
  assert.match(why.get("customer_id") ?? "", /few rows share/);
  assert.match(why.get("note") ?? "", /few rows share a text/);
  assert.match(why.get("signed") ?? "", /--time signed/);
});

test("a column that tells the label as a copy of it would is left out", () => {
  const told = (tells: number) =>
    planInit(
      { ...table, columns: [...table.columns, { ...column("ended", "int64", 99), tells }] },
      choices,
    );
  assert.match(told(0.9995).leftOut.at(-1)?.why ?? "", /alone tells churned .*AUC 0\.9995.*before/);
  assert.ok(names(told(0.95).numbers).includes("ended"));
});

test("with --time another timestamp is used by its age", () => {
  const timed = { ...table, columns: [...table.columns, column("seen", "timestamp", 99)] };
  const { numbers, leftOut } = planInit(timed, { ...choices, time: "signed" });
  assert.deepEqual(names(numbers), ["store_id", "paid", "seen"]);
  assert.ok(!leftOut.some((one) => one.column === "signed"));
});

test("a choice that cannot be is refused by name", () => {
  const refused = (more: object, reason: string, message: RegExp) =>
    assert.throws(() => planInit(table, { ...choices, ...more }), { reason, message });
  refused({ label: "churnd" }, "NO_SUCH_COLUMN", /no column "churnd" .*did you mean "churned"/);
  refused({ label: "country" }, "LABEL_NOT_BINARY", /label "country" .* string with 4 values/);
  refused({ label: "planet" }, "LABEL_ONE_CLASS", /label "planet" has one value only/);
  refused({ time: "paid" }, "TIME_NOT_A_TIME", /time "paid" is no timestamp/);
  const alike = { ...table, columns: [column("a", "int64", 9), column("churned", "int64", 1)] };
  assert.throws(() => planInit(alike, choices), { reason: "LABEL_ONE_CLASS" });
});

test("what a person should look at is said: few rows, and a column that is text for one of its values", () => {
  const odd = { most: "float64", count: 99, of: 100, row: 7, value: "n/a" } as const;
  const strange = { ...column("weight", "string", 60), odd };
  const free = { ...column("remark", "string", 60), odd: { ...odd, count: 3 } };
  const { remarks } = planInit({ rows: 100, columns: [...table.columns, strange, free] }, choices);
  assert.equal(remarks.length, 2);
  assert.match(remarks[0] ?? "", /^100 rows are few: .* 20 positives .*NOT ENOUGH DATA/);
  assert.match(remarks[1] ?? "", /^weight is taken for text: 99 of its 100 .* row 7 has "n\/a"/);
  assert.deepEqual(planInit({ ...table, rows: 5_000 }, choices).remarks, []);
});

test("an --id that rows share is a thing to look at, and an empty column is none", () => {
  const shared = planInit(table, { ...choices, id: "store_id" }).remarks;
  assert.match(
    shared.join(),
    /store_id has 20 values in 100 rows: rows that share one count as one/,
  );
  const nulls = { ...column("code", "int64", 98), nulls: 2 };
  const lacking = { ...table, columns: [...table.columns, nulls] };
  const said = planInit(lacking, { ...choices, id: "code" }).remarks;
  assert.match(
    said.join(),
    /code has 98 values in 100 rows, and none in 2: an ingestion wants one/,
  );
  const nothing = { most: "timestamp", count: 0, of: 0, row: 0, value: "" } as const;
  const empty = { ...column("empty", "string", 0), nulls: 100, odd: nothing };
  const other = planInit(
    { ...table, columns: [...table.columns, empty] },
    { ...choices, id: "row" },
  );
  assert.deepEqual(other.remarks, planInit(table, choices).remarks);
});

test("a label that cannot be one says what it is", () => {
  const refused = (label: object, reason: string, message: RegExp) =>
    assert.throws(
      () =>
        planInit({ rows: 100, columns: [{ ...column("churned", "int64", 2), ...label }] }, choices),
      { reason, message },
    );
  refused(
    { binary: false },
    "LABEL_NOT_BINARY",
    /0\/1, but is int64 with 2 values; choose another/,
  );
  const odd = { most: "timestamp", count: 0, of: 100, row: 1, value: "maybe" } as const;
  const text = { type: "string", distinct: 3, binary: false, odd } as const;
  refused(text, "LABEL_NOT_BINARY", /is string with 3 values, as "maybe"/);
  refused({ distinct: 0, binary: false }, "LABEL_ONE_CLASS", /is empty in every row/);
});

test("a time that is none, a table without rows and one without a line of names say so", () => {
  const odd = { most: "timestamp", count: 0, of: 100, row: 1, value: "28.05.2026" } as const;
  const german = { ...column("day", "string", 90), odd };
  assert.throws(
    () => planInit({ rows: 100, columns: [...table.columns, german] }, { ...choices, time: "day" }),
    { reason: "TIME_NOT_A_TIME", message: /row 1 has "28\.05\.2026"; write it as 2026-/ },
  );
  assert.throws(() => planInit({ ...table, rows: 0 }, choices), { reason: "NO_ROWS" });
  const headless = {
    rows: 9,
    columns: [column("10001", "int64", 9), column("basic", "string", 2)],
  };
  assert.throws(() => planInit(headless, choices), {
    reason: "NO_SUCH_COLUMN",
    message: /its first line should name the columns, and has 10001, basic/,
  });
});
