import { isHeddleError, type Json } from "@heddle/base";
import type { FeatureType } from "@heddle/sdk";
import assert from "node:assert/strict";
import { test } from "node:test";
import { columnsFromRows } from "./rows.ts";

test("rows of a request become columns, nulls marked, keys that no feature has unread", () => {
  const types: Record<string, FeatureType> = {
    brand: "category",
    count: "int64",
    price: "float64",
    seen: "timestamp",
    member: "boolean",
  };
  const rows = [
    { brand: "a", count: 1, price: 0.5, seen: "1970-01-01T00:00:01Z", member: true, extra: {} },
    { brand: 7, count: 2, price: null, seen: 5, member: false },
    { brand: null, count: 3, price: 2, seen: null, member: true },
    { brand: "a", count: 4, price: 3, seen: 0, member: null },
  ];
  const batch = columnsFromRows(rows, types, 99);
  assert.deepEqual(batch, {
    rows: 4,
    exampleTimeMs: Float64Array.of(99, 99, 99, 99),
    features: {
      brand: { type: "category", dictionary: ["a", "7"], codes: Int32Array.of(0, 1, -1, 0) },
      count: { type: "int64", values: Float64Array.of(1, 2, 3, 4) },
      price: {
        type: "float64",
        values: Float64Array.of(0.5, 0, 2, 3),
        valid: Uint8Array.of(1, 0, 1, 1),
      },
      seen: {
        type: "timestamp",
        values: Float64Array.of(1000, 5, 0, 0),
        valid: Uint8Array.of(1, 1, 0, 1),
      },
      member: {
        type: "boolean",
        values: Float64Array.of(1, 0, 1, 0),
        valid: Uint8Array.of(1, 1, 1, 0),
      },
    },
  });
});

test("a value of another type is refused by feature and row", () => {
  const wrong: [FeatureType, Json][] = [
    ["category", {}],
    ["int64", 1.5],
    ["int64", "1"],
    ["float64", "1"],
    ["float64", true],
    ["timestamp", "yesterday"],
    ["boolean", 1],
  ];
  for (const [type, value] of wrong) {
    assert.throws(
      () => columnsFromRows([{ x: null }, { x: value }], { x: type }, 0),
      (error) =>
        isHeddleError(error, "WRONG_TYPE") && /x of row 1 is .* expected/.test(error.message),
    );
  }
});

test("a feature that a row does not mention is refused by feature and row", () => {
  assert.throws(
    () => columnsFromRows([{ x: 1 }, {}], { x: "int64" }, 0),
    (error) =>
      isHeddleError(error, "MISSING_FEATURE") && /row 1 has no feature x/.test(error.message),
  );
});
