import { existsSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import type { Chapter } from "@heddle/cli";

type Arrival = Chapter["arrivals"][number];

/** The event files as they arrive: the committed ones, or what a smaller or broken feed makes of them. */
export interface Feed extends AsyncDisposable {
  /** Reference tables, whole. */
  references(): readonly Arrival[];
  /** A week's promotions and purchases. */
  week(week: number): Promise<readonly Arrival[]>;
  /** A week's purchases from a feed whose format changed: discounted purchases are lost on the way. */
  broken(week: number, branch: string): Promise<Arrival>;
}

/** Stores of the small feed: those with the most baskets in the year's 44th to 47th week. */
const smallStores = 10;

export async function feedOf(data: string, workFolder: string, small: boolean): Promise<Feed> {
  mkdirSync(workFolder, { recursive: true });
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  const fileOf = (kind: string, week: number): string =>
    join(data, kind, `week-${String(week).padStart(2, "0")}.parquet`);

  /** A made file appears whole or not at all, with the same bytes each time. */
  const made = async (name: string, sql: string): Promise<string> => {
    const file = join(workFolder, name);
    if (existsSync(file)) return file;
    const half = join(workFolder, `half-${name}`);
    await connection.run(
      `COPY (${sql}) TO '${half}' (${name.endsWith(".csv") ? "HEADER" : "FORMAT parquet"})`,
    );
    renameSync(half, file);
    return file;
  };
  const inSmallStores = `store_id IN (SELECT store_id FROM '${join(data, "purchases")}/week-4[4-7].parquet'
    GROUP BY store_id ORDER BY count(DISTINCT basket_id) DESC, store_id LIMIT ${smallStores})`;
  const arriving = async (kind: string, week: number): Promise<string> => {
    const file = fileOf(kind, week);
    if (!small || !existsSync(file)) return file;
    const sql = `SELECT * FROM '${file}' WHERE ${inSmallStores} ORDER BY ALL`;
    return made(`${kind}-${week}.parquet`, sql);
  };

  return {
    references: () => [
      { source: "products", file: join(data, "products.parquet") },
      { source: "demographics", file: join(data, "demographics.parquet") },
    ],
    week: async (week) => [
      { source: "promotions", file: await arriving("promotions", week) },
      { source: "purchases", file: await arriving("purchases", week) },
    ],
    broken: async (week, branch) => {
      const file = await arriving("purchases", week);
      const kept =
        "retail_discount_cents = 0 AND coupon_discount_cents = 0 AND coupon_match_discount_cents = 0";
      const sql = `SELECT * FROM '${file}' WHERE ${kept} ORDER BY ALL`;
      return { source: "purchases", branch, file: await made(`new-format-${week}.csv`, sql) };
    },
    [Symbol.asyncDispose]: () => {
      connection.closeSync();
      instance.closeSync();
      return Promise.resolve();
    },
  };
}
