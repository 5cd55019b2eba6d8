/**
 * Writes the example's data, which is committed under `data/`, from the Complete Journey set.
 *
 * Run once, by whoever changes what the example holds (`data/README.md` has the command).
 */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";

/** How many stores are kept, those with the most baskets first. */
export const storesKept = 40;

/** Weeks in the set; week 1 holds one day only, Sunday the first of January 2017. */
export const weekCount = 53;

// Neighbouring rows are alike in sorted files, so plain values under a hard zstd take half of what
// DuckDB's dictionaries take; the second Parquet version only helps where deltas are long runs.
const purchaseFormat = parquet("V1");
const promotionFormat = parquet("V2");

/**
 * The moment at which a week's promotions start: Monday 00:00 in New York, the only zone in which
 * every purchase of the set lies inside its own week (04:00 UTC in summer time, 05:00 in winter).
 *
 * @param week 1 to 53.
 * @returns UTC, as DuckDB reads a timestamp.
 */
export function startOfWeek(week: number): string {
  const monday = Temporal.PlainDate.from("2016-12-26").add({ weeks: week - 1 });
  const start = monday.toZonedDateTime("America/New_York").withTimeZone("UTC");
  return start.toPlainDateTime().toString().replace("T", " ");
}

/**
 * Reads the set's Parquet files and writes the example's. The same input gives the same bytes.
 *
 * @param from folder with `transactions`, `promotions`, `products`, `demographics` as `.parquet`.
 * @param to folder to write; its `purchases` and `promotions` are replaced.
 */
async function extract(from: string, to: string): Promise<void> {
  // One thread, because several would cut row groups at other places.
  const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
  const db = await instance.connect();
  try {
    await keepStores(db, from);
    for (const kind of ["purchases", "promotions"]) {
      await rm(join(to, kind), { recursive: true, force: true });
      await mkdir(join(to, kind), { recursive: true });
    }
    for (let week = 1; week <= weekCount; week += 1) {
      const name = `week-${String(week).padStart(2, "0")}.parquet`;
      const purchases = `from purchases where week = ${week}
        order by event_time, basket_id, product_id`;
      await copy(db, purchases, join(to, "purchases", name), purchaseFormat);
      const promotions = `select *, timestamp '${startOfWeek(week)}' as event_time
        from promotions where week = ${week} order by product_id, store_id`;
      await copy(db, promotions, join(to, "promotions", name), promotionFormat);
    }
    await copyReferences(db, from, to);
  } finally {
    db.closeSync();
    instance.closeSync();
  }
}

/** Makes the tables `purchases` and `promotions` of the stores that are kept. */
async function keepStores(db: DuckDBConnection, from: string): Promise<void> {
  await db.run(`create table stores as
    select store_id from ${file(from, "transactions")} group by store_id
    order by count(distinct basket_id) desc, store_id limit ${storesKept}`);
  // Sums must be exact, so money becomes whole cents; the set holds no fraction of a cent.
  const cents = Object.entries(centColumns).map(
    ([from, to]) => `cast(round(${from} * 100) as integer) as ${to}`,
  );
  await db.run(`create table purchases as
    select household_id, store_id, basket_id, product_id, quantity,
      ${cents.join(", ")},
      week, cast(transaction_timestamp as timestamp) as event_time
    from ${file(from, "transactions")} semi join stores using (store_id)`);
  // Some products are listed twice for a store and week, once without a display; "0" means none
  // and sorts first, so the greatest code is the place that says something.
  await db.run(`create table promotions as
    select product_id, store_id, week, max(display_location) as display_location,
      max(mailer_location) as mailer_location
    from ${file(from, "promotions")} semi join stores using (store_id)
    group by product_id, store_id, week`);
}

const centColumns = {
  sales_value: "sales_cents",
  retail_disc: "retail_discount_cents",
  coupon_disc: "coupon_discount_cents",
  coupon_match_disc: "coupon_match_discount_cents",
};

/** Writes the reference rows that the kept events name. */
async function copyReferences(db: DuckDBConnection, from: string, to: string): Promise<void> {
  const products = `from ${file(from, "products")} where product_id in
    (select product_id from purchases union select product_id from promotions) order by product_id`;
  await copy(db, products, join(to, "products.parquet"), purchaseFormat);
  const households = `select cast(household_id as integer) as household_id, * exclude (household_id)
    from ${file(from, "demographics")} where household_id in (select household_id from purchases)
    order by household_id`;
  await copy(db, households, join(to, "demographics.parquet"), purchaseFormat);
}

function parquet(version: "V1" | "V2"): string {
  return `format parquet, parquet_version ${version}, dictionary_size_limit 1,
    compression zstd, compression_level 22, row_group_size 1000000`;
}

async function copy(db: DuckDBConnection, rows: string, path: string, format: string) {
  await db.run(`copy (${rows}) to ${literal(path)} (${format})`);
}

function file(folder: string, table: string): string {
  return `read_parquet(${literal(join(folder, `${table}.parquet`))})`;
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

if (import.meta.main) {
  const data = process.env["HEDDLE_DATA_DIR"];
  if (data === undefined) {
    process.stderr.write("set HEDDLE_DATA_DIR to the folder that holds complete-journey/\n");
    process.exit(1);
  }
  await extract(join(data, "complete-journey"), join(import.meta.dirname, "..", "data"));
}
