import assert from "node:assert/strict";
import { test } from "node:test";
import type { Partitioning } from "@heddle/sdk";
import { nextPartition, partitionsOf } from "./partitions.ts";

const week: Partitioning = { by: "column", column: "week" };
const time = (unit: "day" | "week" | "month"): Partitioning => ({ by: "time", unit });

test("the partition after a number, a day, a week or a month is the one that follows it", () => {
  assert.equal(nextPartition("49", week), "50");
  assert.equal(nextPartition("-1", week), "0");
  assert.equal(nextPartition("2024-02-28", time("day")), "2024-02-29");
  assert.equal(nextPartition("2023-12-31", time("day")), "2024-01-01");
  assert.equal(nextPartition("2024-12-30", time("week")), "2025-01-06");
  assert.equal(nextPartition("2024-12", time("month")), "2025-01");
  assert.equal(nextPartition("2024-01", time("month")), "2024-02");
  assert.equal(nextPartition("all", { by: "none" }), "all");
});

test("a window that is no partition of the model is refused with the form it should have", () => {
  const refused: [string, Partitioning, RegExp][] = [
    ["w49", week, /whole number, a value of column week/],
    ["049", week, /whole number/],
    ["9007199254740991", week, /whole number/],
    ["2024-02-30", time("day"), /written 2024-01-29/],
    ["2024-01-30", time("week"), /named by its Monday/],
    ["2024-01-01", time("month"), /written 2024-01$/],
    ["2024-13", time("month"), /written 2024-01$/],
    ["49", { by: "none" }, /take `all`/],
  ];
  for (const [window, partitioning, message] of refused) {
    const error = { code: "INVALID_ARGUMENT", reason: "WINDOW_INVALID", message };
    assert.throws(() => nextPartition(window, partitioning), error, window);
  }
});

test("a training that continues a live version reads its window alone, another from the start", () => {
  const range = { kind: "training", from: 40 } as const;
  assert.deepEqual(partitionsOf(range, "50", week, true), { from: "50", to: "50" });
  assert.deepEqual(partitionsOf(range, "49", week, false), { from: "40", to: "49" });
  assert.deepEqual(partitionsOf({ kind: "training" }, "49", week, false), { from: "", to: "49" });
  assert.deepEqual(partitionsOf({ kind: "next" }, "49", week, true), { from: "50", to: "50" });
});
