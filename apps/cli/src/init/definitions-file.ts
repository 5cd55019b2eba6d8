import { type ColumnDescription, exampleColumns } from "@heddle/feature-engine";
import { type InitPlan, positivesMin } from "./plan.ts";

/** The text of a project's `heddle.ts`: definitions a person can read and change. */
export function definitionsFile(plan: InitPlan): string {
  const { name, time, id } = plan;
  const used = [...plan.numbers, ...plan.categories];
  return `// What Heddle knows of this project. Change it, then: heddle apply && heddle train ${name}
import {
  ${imports(plan).join(",\n  ")},
} from "@heddle/sdk";

/** The raw table: who owns it and what it may be used for. */
export const source = defineSource({
  name: ${q(table(plan))},
  owner: "me",
  licence: "internal",
  lawfulBasis: "contract",
  retentionDays: 365,
  jurisdiction: "EU",
  purposes: ["training", "serving"],
  columns: {
${plan.columns.map((column) => `    ${key(column.name)}: ${q(column.type)},`).join("\n")}
  },
  eventId: [${id.map(q).join(", ")}],
${time === undefined ? "" : `  eventTime: ${q(time)},\n`}  available: { rule: "at-event" },
});

/** Features: columns of the row itself. Add look-ups and aggregates over other sources here. */
export const features = defineFeatureView({
  name: ${q(`${table(plan)}_columns`)},
  version: 1,
  author: "me",
  reason: "first features",
  features: {
${used.map((column) => `    ${key(featureName(plan, column))}: { from: "example", column: ${q(column.name)}, type: ${q(featureType(plan, column))} },`).join("\n")}
  },
});

${modelText(plan)}`;
}

/** The model and its pipeline. */
function modelText(plan: InitPlan): string {
  const { name, label } = plan;
  const used = [...plan.numbers, ...plan.categories];
  return `export const model = defineModel({
  name: ${q(name)},
  owner: "me",
  author: "me",
  purpose: "training",
  examples: { kind: "rows", source: ${q(table(plan))}, label: ${q(label)}, holdoutShare: 0.2 },
  partitioning: { by: "none" },
  views: [${q(`${table(plan)}_columns@1`)}],
  inputs: [
${used
  .flatMap((column) => inputs(plan, column))
  .map((line) => `    ${line},`)
  .join("\n")}
  ],
  architecture: { kind: "wide-and-deep", dimension: 4, hidden: [32, 16] },
  training: {
    batchSize: ${plan.rows < 20_000 ? 32 : 256},
    seed: 1,
    optimizer: { kind: "adagrad", embeddingRate: 0.1, denseRate: 0.05, initialAccumulator: 1e-3 },
    embeddingDeviation: 0.01,
    snapshotSteps: 500,
    lag: 0,
  },
  metrics: [],
  slices: [],
  gate: {
    aucDropMax: 0.01,
    logLossRiseMax: 0.01,
    calibrationErrorMax: 0.25,
    beatFallback: true,
    positivesMin: ${positivesMin},
    sliceShareChangeMax: 2,
  },
  fallback: { name: "base rate" },
});

export const pipeline = definePipeline({
  name: ${q(name)},
  owner: "me",
  model: ${q(name)},
  steps: retraining({ ranking: false }),
  retries: { attemptsMax: 3, initialMs: 500, maxMs: 10_000 },
});
`;
}

/** Source names have letters, digits and `_` only. */
export function table({ name }: InitPlan): string {
  return name.replaceAll("-", "_");
}

const q = (text: string): string => JSON.stringify(text);
const key = (name: string): string => (/^[A-Za-z_]\w*$/.test(name) ? name : q(name));

/** A feature is named as its column, but where every dataset has a column of that name already. */
function featureName(plan: InitPlan, { name }: ColumnDescription): string {
  return exampleColumns.some((own) => own.name === name) ? unused(plan, `${name}_value`) : name;
}

/** The wished name, or a longer one where a column has it. */
function unused(plan: InitPlan, wished: string): string {
  const isTaken = plan.columns.some(({ name }) => name === wished);
  return isTaken ? unused(plan, `${wished}_`) : wished;
}

function featureType(plan: InitPlan, column: ColumnDescription): string {
  if (!plan.numbers.includes(column)) return "category";
  return column.type;
}

function inputs(plan: InitPlan, column: ColumnDescription): string[] {
  const feature = featureName(plan, column);
  const name = q(feature);
  if (!plan.numbers.includes(column)) return [`embedding(${name}, category(${name}))`];
  const raw = column.type === "timestamp" ? `ageDays(${name})` : `value(${name})`;
  const missing = q(unused(plan, `${feature}_missing`));
  return [
    `numeric(${name}, withDefault(standardise(${raw}), 0))`,
    `embedding(${q(unused(plan, `${feature}_bucket`))}, quantile(${raw}, 10))`,
    ...(column.nulls > 0 ? [`numeric(${missing}, isMissing(${name}))`] : []),
  ];
}

function imports(plan: InitPlan): string[] {
  const names = [
    "defineFeatureView",
    "defineModel",
    "definePipeline",
    "defineSource",
    "embedding",
    "retraining",
  ];
  if (plan.categories.length > 0) names.push("category");
  if (plan.numbers.length > 0) names.push("numeric", "quantile", "standardise", "withDefault");
  if (plan.numbers.some(({ type }) => type === "timestamp")) names.push("ageDays");
  if (plan.numbers.some(({ type }) => type !== "timestamp")) names.push("value");
  if (plan.numbers.some(({ nulls }) => nulls > 0)) names.push("isMissing");
  return names.sort();
}
