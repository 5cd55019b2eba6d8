import assert from "node:assert/strict";
import { test } from "node:test";
import type { ColumnType } from "@heddle/sdk";
import { planInit } from "./plan.ts";

const column = (name: string, type: ColumnType, distinct: number) => ({
  name,
  type,
  distinct,
  nulls: 0,
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
  refused({ label: "planet" }, "LABEL_NOT_BINARY", /label "planet"/);
  refused({ time: "paid" }, "TIME_NOT_A_TIME", /time "paid" is no timestamp/);
  const alike = { ...table, columns: [column("a", "int64", 9), column("churned", "int64", 1)] };
  assert.throws(() => planInit(alike, choices), { reason: "LABEL_ONE_CLASS" });
});
