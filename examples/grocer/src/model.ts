import {
  ageDays,
  bucketise,
  category,
  clip,
  cross,
  defineModel,
  definePipeline,
  embedding,
  type Gate,
  log1p,
  type ModelInput,
  numeric,
  ratio,
  retraining,
  standardise,
  value,
  withDefault,
} from "@heddle/sdk";
import { model, pipeline } from "./names.ts";

const owner = "ranking@example.org";

/** Bounds of counts and of ages in days: finer where most values lie. */
const counts = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1_024];
const days = [2, 4, 7, 10, 14, 21, 28, 35, 49, 63, 84, 112, 140, 182, 240, 300];
/** Stands for "never" where an age is a number. */
const never = 500;

const byCount = (name: string, feature: string): ModelInput[] => [
  numeric(name, standardise(log1p(value(feature)))),
  embedding(`${name}-bucket`, bucketise(value(feature), counts)),
];
const byAge = (name: string, feature: string): ModelInput[] => [
  numeric(name, standardise(log1p(clip(withDefault(ageDays(feature), never), 0, never)))),
  embedding(`${name}-bucket`, bucketise(ageDays(feature), days)),
];

const inputs: readonly ModelInput[] = [
  embedding("household", category("household")),
  embedding("product", category("product")),
  embedding("store", category("store")),
  embedding("type", category("product_type")),
  embedding("category", category("product_category")),
  embedding("manufacturer", category("manufacturer")),
  embedding("department", category("department")),
  embedding("brand", category("brand")),
  embedding("place", cross(category("display"), category("mailer"))),
  ...byCount("household-product", "household_product_count"),
  ...byAge("since-product", "household_product_last"),
  ...byCount("household-type", "household_type_count"),
  ...byAge("since-type", "household_type_last"),
  numeric("household-category", standardise(log1p(value("household_category_count")))),
  ...byAge("since-category", "household_category_last"),
  numeric("household-month", standardise(log1p(value("household_month_count")))),
  ...byCount("product-quarter", "product_quarter_count"),
  ...byCount("product-month", "product_month_count"),
  ...byCount("product-week", "product_week_count"),
  ...byAge("since-sold", "product_last"),
  ...byCount("store-product", "store_product_count"),
  numeric("promoted", standardise(log1p(value("promoted_count")))),
  numeric(
    "price",
    standardise(
      log1p(clip(withDefault(ratio(value("product_sales"), value("product_units")), 0), 0, 5_000)),
    ),
  ),
  numeric(
    "discount",
    clip(withDefault(ratio(value("product_discount"), value("product_sales")), 0), 0, 1),
  ),
];

/**
 * A holiday week's buying rate differs from the week before, which a model retrained each week follows
 * a week late: honest weeks were measured to be off by up to a half.
 */
const gate: Gate = {
  aucDropMax: 0.01,
  logLossRiseMax: 0.01,
  calibrationErrorMax: 0.75,
  beatFallback: true,
  positivesMin: 200,
  sliceShareChangeMax: 1.5,
};

/** A few thousand rows decide little: the small run is gated by its data more than by its figures. */
const smallGate: Gate = {
  ...gate,
  aucDropMax: 0.1,
  logLossRiseMax: 0.1,
  calibrationErrorMax: 4,
  sliceShareChangeMax: 1.8,
  beatFallback: false,
};

/** Ranks the products promoted in a store in a week by the chance that a visiting household buys them. */
export const ranker = (small: boolean) =>
  defineModel({
    name: model,
    owner,
    author: "ana@example.org",
    purpose: "ranking",
    examples: {
      kind: "candidates",
      visits: { source: "purchases", keys: ["household_id", "store_id", "week"] },
      candidates: { source: "promotions", on: ["store_id", "week"], item: "product_id" },
      negatives: { perVisit: 20, seed: 7 },
      // Of some 540 visits a week, each with thousands of offers: enough to tell it from the fallback, in a fifth of the time of all.
      ranking: { visitsMax: small ? 40 : 100, seed: 11, at: 10 },
    },
    partitioning: { by: "column", column: "week" },
    views: ["offer@1", "household@1", "product@1"],
    inputs,
    architecture: {
      ...{ kind: "dcn-v2", dimension: 8, crossLayers: 3, hidden: [64, 32] },
      // With as many columns a few thousand rows make it certain of what it cannot know.
      crossRank: small ? 16 : 64,
    },
    training: {
      batchSize: small ? 256 : 1_024,
      seed: 1,
      optimizer: {
        kind: "adagrad",
        embeddingRate: 0.05,
        denseRate: 0.02,
        // Next to nothing: a row's first step is then as long as its rate, whatever its gradient.
        initialAccumulator: 1e-7,
      },
      embeddingDeviation: 0.01,
      snapshotSteps: small ? 20 : 200,
      lag: 1,
    },
    metrics: [],
    slices: [
      { name: "department", by: "department" },
      { name: "discounted", where: [{ column: "product_discount", is: ">", value: 0 }] },
      { name: "not discounted", where: [{ column: "product_discount", is: "=", value: 0 }] },
      { name: "with demographics", where: [{ column: "age", is: "!=", value: "" }] },
      { name: "without demographics", where: [{ column: "age", is: "=", value: "" }] },
    ],
    gate: small ? smallGate : gate,
    fallback: { name: "popularity", feature: "product_quarter_count" },
  });

/** Every week: datasets, training with warm start, evaluation on the week after, gate, publication. */
export const weekly = (from: number) =>
  definePipeline({
    name: pipeline,
    owner,
    model,
    steps: retraining({ from, ranking: true }),
    retries: { attemptsMax: 3, initialMs: 500, maxMs: 10_000 },
  });
