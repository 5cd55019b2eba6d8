import {
  type Aggregate,
  bucketise,
  category,
  clip,
  cross,
  defineFeatureView,
  defineModel,
  defineSource,
  difference,
  embedding,
  type FeaturePlan,
  type FeatureType,
  isMissing,
  log1p,
  type NumberExpression,
  numeric,
  ratio,
  standardise,
  value,
  ageDays,
  withDefault,
} from "@heddle/sdk";

const ownership = {
  owner: "grocer-data@example.org",
  licence: "CC0, The Complete Journey 2.0, 84.51°/dunnhumby",
  lawfulBasis: "consent: households were paid for taking part",
  retentionDays: 3_650,
  jurisdiction: "US",
  purposes: ["ranking", "evaluation"],
};

/** A product in a basket; known after the nightly load. */
export const purchases = defineSource({
  name: "purchases",
  ...ownership,
  columns: {
    household_id: "int64",
    store_id: "int64",
    basket_id: "int64",
    product_id: "int64",
    quantity: "int64",
    sales_cents: "int64",
    retail_discount_cents: "int64",
    coupon_discount_cents: "int64",
    coupon_match_discount_cents: "int64",
    week: "int64",
    event_time: "timestamp",
  },
  eventId: ["basket_id", "product_id"],
  eventTime: "event_time",
  available: { rule: "next-day", at: "03:00" },
  subject: "household_id",
});

/** A product promoted in a store for a week; known when the week starts. */
export const promotions = defineSource({
  name: "promotions",
  ...ownership,
  columns: {
    product_id: "int64",
    store_id: "int64",
    week: "int64",
    display_location: "string",
    mailer_location: "string",
    event_time: "timestamp",
  },
  eventId: ["week", "store_id", "product_id"],
  eventTime: "event_time",
  available: { rule: "at-event" },
});

export const products = defineSource({
  name: "products",
  ...ownership,
  columns: {
    product_id: "int64",
    manufacturer_id: "int64",
    department: "string",
    brand: "string",
    product_category: "string",
    product_type: "string",
    package_size: "string",
  },
  eventId: ["product_id"],
  available: { rule: "at-event" },
});

export const demographics = defineSource({
  name: "demographics",
  ...ownership,
  columns: {
    household_id: "int64",
    age: "string",
    income: "string",
    home_ownership: "string",
    marital_status: "string",
    household_size: "string",
    household_comp: "string",
    kids_count: "string",
  },
  eventId: ["household_id"],
  available: { rule: "at-event" },
  subject: "household_id",
});

const example = (column: string, type: FeatureType = "category"): FeaturePlan => ({
  from: "example",
  column,
  type,
});
const ofProduct = (column: string): FeaturePlan => ({
  from: "lookup",
  source: "products",
  keys: ["product_id"],
  column,
  type: "category",
});
const ofHousehold = (column: string): FeaturePlan => ({
  from: "lookup",
  source: "demographics",
  keys: ["household_id"],
  column,
  type: "category",
});
const bought = (
  keys: readonly string[],
  aggregate: Aggregate,
  windowDays?: number,
): FeaturePlan => ({
  from: "aggregate",
  source: "purchases",
  keys,
  aggregate,
  ...(windowDays === undefined ? {} : { windowDays }),
  type: aggregate.op === "latest-time" ? "timestamp" : "int64",
});
const count: Aggregate = { op: "count" };

const authored = { author: "ana@example.org", reason: "first version" };

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
    income: ofHousehold("income"),
    household_size: ofHousehold("household_size"),
  },
});

export const history = defineFeatureView({
  name: "history",
  version: 1,
  ...authored,
  features: {
    household_product_count: bought(["household_id", "product_id"], count),
    household_product_last: bought(["household_id", "product_id"], { op: "latest-time" }),
    household_category_count: bought(["household_id", "product_category"], count),
    household_category_last: bought(["household_id", "product_category"], { op: "latest-time" }),
    household_department_count: bought(["household_id", "department"], count, 84),
    household_count: bought(["household_id"], count),
    product_count: bought(["product_id"], count, 56),
    store_product_count: bought(["store_id", "product_id"], count, 56),
    product_units: bought(["product_id"], { op: "sum", column: "quantity" }, 56),
    product_sales: bought(["product_id"], { op: "sum", column: "sales_cents" }, 56),
    product_discount: bought(["product_id"], { op: "sum", column: "retail_discount_cents" }, 56),
  },
});

const logCount = (feature: string): NumberExpression => log1p(value(feature));
const price = clip(withDefault(ratio(value("product_sales"), value("product_units")), 0), 0, 2_000);
const weeksSince = (feature: string): NumberExpression =>
  log1p(clip(withDefault(ageDays(feature), 400), 0, 400));

export const ranker = defineModel({
  name: "grocer-ranker",
  owner: "ranking@example.org",
  author: "ana@example.org",
  purpose: "ranking",
  examples: {
    kind: "candidates",
    visits: { source: "purchases", keys: ["household_id", "store_id", "week"] },
    candidates: { source: "promotions", on: ["store_id", "week"], item: "product_id" },
    negatives: { perVisit: 20, seed: 7 },
    ranking: { visitsMax: 1_000, seed: 11, at: 10 },
  },
  partitioning: { by: "column", column: "week" },
  views: ["offer@1", "history@1"],
  inputs: [
    embedding("household", category("household")),
    embedding("product", category("product")),
    embedding("category", category("product_category")),
    embedding("type", category("product_type")),
    embedding("department", category("department")),
    embedding("brand", category("brand")),
    embedding("manufacturer", category("manufacturer")),
    embedding("store", category("store")),
    embedding("display", category("display")),
    embedding("mailer", category("mailer")),
    embedding("age", category("age")),
    embedding("income", category("income")),
    embedding("bought-before", bucketise(value("household_product_count"), [1, 2, 3, 5, 8, 13])),
    embedding("display-mailer", cross(category("display"), category("mailer"))),
    numeric("household-product", standardise(logCount("household_product_count"))),
    numeric("household-category", standardise(logCount("household_category_count"))),
    numeric("household-department", standardise(logCount("household_department_count"))),
    numeric("household-all", standardise(logCount("household_count"))),
    numeric("since-product", standardise(weeksSince("household_product_last"))),
    numeric("never-bought", isMissing("household_product_last")),
    numeric("since-category", standardise(weeksSince("household_category_last"))),
    numeric("product-popularity", standardise(logCount("product_count"))),
    numeric("store-popularity", standardise(logCount("store_product_count"))),
    numeric("price", standardise(log1p(price))),
    numeric(
      "category-affinity",
      standardise(difference(logCount("household_category_count"), logCount("household_count"))),
    ),
    numeric(
      "discount",
      clip(withDefault(ratio(value("product_discount"), value("product_sales")), 0), 0, 1),
    ),
  ],
  architecture: { kind: "wide-and-deep", dimension: 8, hidden: [64, 32] },
  training: {
    batchSize: 1_024,
    seed: 1,
    optimizer: { kind: "adagrad", embeddingRate: 0.05, denseRate: 0.02, initialAccumulator: 0.1 },
    embeddingDeviation: 0.01,
    snapshotSteps: 200,
    lag: 0,
  },
  metrics: [],
  slices: [
    { name: "department", by: "department" },
    { name: "discounted", where: [{ column: "product_discount", is: ">", value: 0 }] },
    { name: "no-demographics", where: [{ column: "age", is: "=", value: "" }] },
  ],
  gate: {
    aucDropMax: 0.01,
    logLossRiseMax: 0.01,
    calibrationErrorMax: 0.2,
    beatFallback: true,
    positivesMin: 500,
    sliceShareChangeMax: 2,
  },
  fallback: { name: "popularity", feature: "store_product_count" },
});
