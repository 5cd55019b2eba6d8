import { HeddleError } from "@heddle/base";
import { didYouMean } from "@heddle/config";
import { type DatasetPlan, exampleRowColumns, exampleSource } from "@heddle/feature-engine";
import type { ColumnType, FeaturePlan, FeatureType, Filter, SourceDefinition } from "@heddle/sdk";
import { checkFilter } from "./filter.ts";
import { refuse } from "./definition.ts";

type Sources = ReadonlyMap<string, SourceDefinition>;

/** The source, or an error that names it and the nearest known one. */
export function sourceNamed(sources: Sources, name: string, where: string): SourceDefinition {
  const found = sources.get(name);
  if (found !== undefined) return found;
  throw unknownName(
    "UNKNOWN_SOURCE",
    `${where} reads the source "${name}", which nobody applied`,
    name,
    sources.keys(),
  );
}

function columnNamed(source: SourceDefinition, column: string, where: string): ColumnType {
  const type = source.columns[column];
  if (type !== undefined) return type;
  throw unknownName(
    "UNKNOWN_COLUMN",
    `${where} reads the column "${column}", which the source ${source.name} does not declare`,
    column,
    Object.keys(source.columns),
  );
}

/** Types of column that a feature type may be made of. */
const madeOf: Readonly<Record<FeatureType, readonly ColumnType[]>> = {
  category: ["int64", "float64", "string", "boolean", "timestamp"],
  int64: ["int64", "boolean"],
  float64: ["float64", "int64"],
  timestamp: ["timestamp"],
  boolean: ["boolean"],
};

function checkType(where: string, type: FeatureType, column: ColumnType): void {
  if (madeOf[type].includes(column)) return;
  throw refuse(
    `${where} is declared ${type}, but its column is ${column}: declare it as ${column === "string" ? "category" : column}`,
  );
}

/**
 * Checks a feature as far as its sources alone can tell; which example it is for shows when a model uses it.
 *
 * @throws {HeddleError} UNKNOWN_SOURCE, UNKNOWN_COLUMN, DEFINITION_INVALID.
 */
export function checkFeature(sources: Sources, where: string, plan: FeaturePlan): void {
  if (plan.from === "example") return;
  const source = sourceNamed(sources, plan.source, where);
  if (plan.from === "lookup") {
    checkType(where, plan.type, columnNamed(source, plan.column, where));
    plan.keys.forEach((key) => columnNamed(source, key, where));
    if (source.eventTime !== undefined) {
      throw refuse(
        `${where} looks up the source ${source.name}, which has events: take its latest by an aggregate`,
      );
    }
    const missing = source.eventId.find((id) => !plan.keys.includes(id));
    if (missing !== undefined) {
      throw refuse(
        `${where} looks up ${source.name} without its id "${missing}", which would match several rows: add it to keys`,
      );
    }
    return;
  }
  if (source.eventTime === undefined) {
    throw refuse(
      `${where} aggregates the source ${source.name}, which has no eventTime: look it up instead`,
    );
  }
  checkFilter(where, plan.where ?? [], (column) => columnNamed(source, column, where));
  const { aggregate } = plan;
  if (aggregate.op === "count") checkType(where, plan.type, "int64");
  else if (aggregate.op === "latest-time") checkType(where, plan.type, "timestamp");
  else {
    const type = columnNamed(source, aggregate.column, where);
    if (aggregate.op === "sum" && type !== "int64") {
      throw refuse(
        `${where} sums "${aggregate.column}", which is ${type}: sums are over int64 only, so that no order changes a bit; store whole cents`,
      );
    }
    checkType(where, plan.type, aggregate.op === "latest" ? type : "int64");
  }
}

/**
 * Checks that a model's examples and features fit together.
 *
 * @throws {HeddleError} UNKNOWN_COLUMN, UNKNOWN_FEATURE, DEFINITION_INVALID.
 */
export function checkModelPlan(plan: DatasetPlan): void {
  const sources = new Map(
    Object.values(plan.sources).map(({ definition }) => [definition.name, definition]),
  );
  checkExamples(plan, sources);
  const own = exampleRowColumns(plan);
  const typeOfOwn = (column: string): ColumnType => {
    const { examples } = plan;
    const from =
      examples.kind === "candidates" && own.get(column) === "candidate"
        ? examples.candidates.source
        : exampleSource(examples);
    return columnNamed(
      sourceNamed(sources, from, `model ${plan.model}`),
      column,
      `model ${plan.model}`,
    );
  };
  const lookups = new Map(plan.features.map(({ name, plan }) => [name, plan]));
  for (const { name, view, plan: feature } of plan.features) {
    const where = `feature ${name} of ${view}`;
    if (feature.from === "example") {
      if (!own.has(feature.column)) {
        throw unknownName(
          "UNKNOWN_COLUMN",
          `${where} reads the example's column "${feature.column}", which the examples of model ${plan.model} have not`,
          feature.column,
          own.keys(),
        );
      }
      checkType(where, feature.type, typeOfOwn(feature.column));
      continue;
    }
    const source = sourceNamed(sources, feature.source, where);
    for (const key of feature.keys) {
      if (own.has(key)) {
        const type = columnNamed(source, key, where);
        if (type === typeOfOwn(key)) continue;
        throw refuse(
          `${where}: the key "${key}" is ${type} in ${source.name} but ${typeOfOwn(key)} in the examples: declare both alike`,
        );
      }
      if (lookups.get(key)?.from === "lookup") continue;
      throw unknownName(
        "UNKNOWN_FEATURE",
        `${where} has the key "${key}", which is neither a column of the examples nor a lookup feature of the model's views`,
        key,
        [...own.keys(), ...lookups.keys()],
      );
    }
  }
  for (const { name, by, where } of plan.slices) {
    checkSlice(`slice ${name} of model ${plan.model}`, by, where, lookups);
  }
}

function checkSlice(
  where: string,
  by: string | undefined,
  conditions: Filter | undefined,
  features: ReadonlyMap<string, FeaturePlan>,
): void {
  for (const feature of [
    ...(by === undefined ? [] : [by]),
    ...(conditions ?? []).map((c) => c.column),
  ]) {
    if (features.has(feature)) continue;
    throw unknownName(
      "UNKNOWN_FEATURE",
      `${where} reads the feature "${feature}", which nobody defined`,
      feature,
      features.keys(),
    );
  }
  if (by !== undefined && features.get(by)?.type !== "category") {
    throw refuse(`${where} is by "${by}", which is no category: give it conditions instead`);
  }
}

function checkExamples({ examples, partitioning, model }: DatasetPlan, sources: Sources): void {
  const where = `model ${model}`;
  const own = sourceNamed(sources, exampleSource(examples), where);
  if (partitioning.by === "column" && columnNamed(own, partitioning.column, where) !== "int64") {
    throw refuse(
      `${where} is partitioned by "${partitioning.column}", which is not int64: partition by time instead`,
    );
  }
  if (partitioning.by === "log" && (examples.kind !== "rows" || own.stream === undefined)) {
    throw refuse(
      `${where} has no windows of the event log: its examples must be rows of a source that declares a stream`,
    );
  }
  if (partitioning.by === "time" && own.eventTime === undefined) {
    throw refuse(`${where} is partitioned by time, but the source ${own.name} has no eventTime`);
  }
  if (examples.kind === "rows") {
    if (!["boolean", "int64"].includes(columnNamed(own, examples.label, where))) {
      throw refuse(
        `${where} has the label "${examples.label}", which is neither boolean nor 0 and 1`,
      );
    }
    if (examples.holdoutShare !== undefined && partitioning.by !== "none") {
      throw refuse(
        `${where} has a holdoutShare and partitions: evaluate on the next partition instead`,
      );
    }
    return;
  }
  const { visits, candidates } = examples;
  const offers = sourceNamed(sources, candidates.source, where);
  if (own.eventTime === undefined || offers.eventTime === undefined) {
    throw refuse(`${where}: visits and candidates need sources with an eventTime`);
  }
  visits.keys.forEach((key) => columnNamed(own, key, where));
  for (const column of [...candidates.on, candidates.item]) {
    if (columnNamed(own, column, where) !== columnNamed(offers, column, where)) {
      throw refuse(
        `${where}: the column "${column}" has different types in ${own.name} and ${offers.name}`,
      );
    }
  }
  const foreign = candidates.on.find((c) => !visits.keys.includes(c));
  if (foreign !== undefined)
    throw refuse(`${where}: candidates meet a visit on "${foreign}", which is not among its keys`);
  const twice = offers.eventId.find((c) => c !== candidates.item && !candidates.on.includes(c));
  if (twice !== undefined) {
    throw refuse(
      `${where}: an item could be offered twice to one visit, because the id of ${offers.name} has "${twice}" beside item and on`,
    );
  }
  if (partitioning.by === "column" && !visits.keys.includes(partitioning.column)) {
    throw refuse(
      `${where}: a visit must lie in one partition: add "${partitioning.column}" to its keys`,
    );
  }
}

/** A refusal that ends with the nearest known name, or with all known ones. */
export function unknownName(
  reason: string,
  message: string,
  name: string,
  known: Iterable<string>,
): HeddleError {
  // It may be an iterator, which gives them once.
  const names = [...known];
  const meant = didYouMean(name, names);
  const remedy =
    meant === undefined ? `known are ${names.join(", ") || "none"}` : `did you mean "${meant}"?`;
  return new HeddleError("INVALID_ARGUMENT", reason, `${message}; ${remedy}`);
}
