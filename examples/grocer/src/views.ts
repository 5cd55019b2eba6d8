import { type Aggregate, defineFeatureView, type FeaturePlan, type FeatureType } from "@heddle/sdk";

const authored = { author: "ana@example.org", reason: "first version" };

/** What is offered, to whom, where. */
export const offer = defineFeatureView({
  name: "offer",
  version: 1,
  ...authored,
  features: {
    household: example("household_id"),
    store: example("store_id"),
    product: example("product_id"),
    display: example("display_location"),
    mailer: example("mailer_location"),
    department: ofProduct("department"),
    product_category: ofProduct("product_category"),
    product_type: ofProduct("product_type"),
    brand: ofProduct("brand"),
    manufacturer: ofProduct("manufacturer_id"),
    age: ofHousehold("age"),
  },
});

const count: Aggregate = { op: "count" };
const lastTime: Aggregate = { op: "latest-time" };
const quarter = 84;
const month = 28;
const week = 7;

/** What this household bought before: the product, its type, its category, its maker. */
export const household = defineFeatureView({
  name: "household",
  version: 1,
  ...authored,
  features: {
    household_product_count: bought(["household_id", "product_id"], count),
    household_product_last: bought(["household_id", "product_id"], lastTime),
    household_type_count: bought(["household_id", "product_type"], count),
    household_type_last: bought(["household_id", "product_type"], lastTime),
    household_category_count: bought(["household_id", "product_category"], count),
    household_category_last: bought(["household_id", "product_category"], lastTime),
    household_month_count: bought(["household_id"], count, month),
  },
});

/** How the product sells, at which price, and how often it was promoted. */
export const product = defineFeatureView({
  name: "product",
  version: 1,
  ...authored,
  features: {
    product_quarter_count: bought(["product_id"], count, quarter),
    product_month_count: bought(["product_id"], count, month),
    product_week_count: bought(["product_id"], count, week),
    product_last: bought(["product_id"], lastTime),
    product_units: bought(["product_id"], { op: "sum", column: "quantity" }, quarter),
    product_sales: bought(["product_id"], { op: "sum", column: "sales_cents" }, quarter),
    product_discount: bought(
      ["product_id"],
      { op: "sum", column: "retail_discount_cents" },
      quarter,
    ),
    store_product_count: bought(["store_id", "product_id"], count, quarter),
    promoted_count: {
      from: "aggregate",
      source: "promotions",
      keys: ["product_id"],
      aggregate: count,
      windowDays: quarter,
      type: "int64",
    },
  },
});

function example(column: string, type: FeatureType = "category"): FeaturePlan {
  return { from: "example", column, type };
}

function ofProduct(column: string): FeaturePlan {
  return { from: "lookup", source: "products", keys: ["product_id"], column, type: "category" };
}

function ofHousehold(column: string): FeaturePlan {
  return {
    from: "lookup",
    source: "demographics",
    keys: ["household_id"],
    column,
    type: "category",
  };
}

function bought(keys: readonly string[], aggregate: Aggregate, windowDays?: number): FeaturePlan {
  return {
    from: "aggregate",
    source: "purchases",
    keys,
    aggregate,
    ...(windowDays === undefined ? {} : { windowDays }),
    type: aggregate.op === "latest-time" ? "timestamp" : "int64",
  };
}
