import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { DuckDBInstance } from "@duckdb/node-api";
import { startOfWeek, storesKept, weekCount } from "./extract.ts";

const data = join(import.meta.dirname, "..", "data");

async function ask(sql: string): Promise<Record<string, unknown>> {
  const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
  const db = await instance.connect();
  try {
    await db.run(`create view purchases as from '${data}/purchases/week-*.parquet'`);
    await db.run(`create view promotions as from '${data}/promotions/week-*.parquet'`);
    const [row] = (await db.runAndReadAll(sql)).getRowObjectsJson();
    assert(row !== undefined);
    return row;
  } finally {
    db.closeSync();
    instance.closeSync();
  }
}

test("a week starts on Monday at midnight in New York", () => {
  assert.equal(startOfWeek(1), "2016-12-26 05:00:00");
  assert.equal(startOfWeek(10), "2017-02-27 05:00:00");
  assert.equal(startOfWeek(11), "2017-03-06 05:00:00");
  assert.equal(startOfWeek(12), "2017-03-13 04:00:00");
  assert.equal(startOfWeek(45), "2017-10-30 04:00:00");
  assert.equal(startOfWeek(46), "2017-11-06 05:00:00");
});

test("each committed purchase has a key of its own and lies inside its week", async () => {
  const starts = Array.from(
    { length: weekCount + 1 },
    (_, i) => `timestamp '${startOfWeek(i + 1)}'`,
  );
  const facts = await ask(`select count(*) as n, count(distinct (basket_id, product_id)) as keys,
    count(distinct store_id) as stores, count(distinct week) as weeks,
    count(*) filter (where event_time < ([${starts.join(", ")}])[week]
      or event_time >= ([${starts.join(", ")}])[week + 1]) as strays
    from purchases`);
  assert.deepEqual(facts, {
    n: "751500",
    keys: "751500",
    stores: String(storesKept),
    weeks: String(weekCount),
    strays: "0",
  });
});

test("a product is promoted once in a store and week", async () => {
  const facts = await ask(`select sum(n) as n, sum(keys) as keys from (
    select count(*) as n, count(distinct (store_id, product_id)) as keys
    from promotions group by week)`);
  assert.deepEqual(facts, { n: "7813132", keys: "7813132" });
});
