import assert from "node:assert/strict";
import { test } from "node:test";
import { parseExamples } from "./examples.ts";
import { sales } from "../fixtures/shop.ts";

const columns = { ...sales.columns, gift: "boolean" } as const;
const plan = {
  examples: { kind: "rows", source: "sales", label: "gift" },
  sources: { sales: { definition: { ...sales, columns }, branch: "main", segments: [] } },
} as const;
const row = {
  ...{ sale: 1, member: "9007199254740993", week: "-4", item: "apple", weight: 0.5 },
  ...{ time: "2026-11-23T18:00:00Z", gift: true, shop: null, unknown: 7 },
};

test("values of their columns' types are taken as they are", () => {
  assert.deepEqual(parseExamples(JSON.stringify([row]), plan), [row]);
});

test("a value of another type is refused by row and column, and told how to be written", () => {
  for (const [column, value, message] of [
    ["week", "four", /column "week" is int64, and has "four": write a whole number, as text when/],
    ["week", 4.5, /has 4.5: write a whole number/],
    ["week", 2 ** 53, /has 9007199254740992: write a whole number, as text when it is above/],
    ["item", 3, /column "item" is string, and has 3: write a text between quotes/],
    ["member", true, /column "member" is int64, and has true/],
    ["weight", "1", /column "weight" is float64, and has "1": write a number/],
    ["gift", 1, /column "gift" is boolean, and has 1: write true or false/],
    ["time", "yesterday", /column "time" is timestamp, and has "yesterday": write a time as 2026-/],
  ] as const) {
    const wrong = { ...row, [column]: value };
    const parse =
      (...rows: object[]) =>
      () =>
        parseExamples(JSON.stringify(rows), plan);
    assert.throws(parse(wrong), { reason: "EXAMPLES_INVALID", message });
    assert.throws(parse(row, wrong), { message: new RegExp(`row 1, column "${column}"`) });
  }
});
