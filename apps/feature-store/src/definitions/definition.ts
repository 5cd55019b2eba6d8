import { HeddleError, messageOf } from "@heddle/base";
import { parseStrict } from "@heddle/config";
import { exampleColumns, reservedPrefix } from "@heddle/feature-engine";
import type { FeatureViewDefinition, ModelDefinition, SourceDefinition } from "@heddle/sdk";
import { z } from "zod";

const name = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{0,63}$/, "lower-case letters, digits, _ and -, at most 64");
const column = z
  .string()
  .min(1)
  .max(128)
  .refine((c) => !c.startsWith(reservedPrefix), `may not begin with ${reservedPrefix}`);
const words = z.string().min(1).max(1_000);
const columnList = z.array(column).min(1).max(64);
const days = z.int().positive().max(36_500);
const featureType = z.enum(["category", "int64", "float64", "timestamp", "boolean"]);

const source = z.strictObject({
  kind: z.literal("source"),
  name,
  owner: words,
  licence: words,
  lawfulBasis: words,
  retentionDays: days,
  jurisdiction: words,
  purposes: z.array(words).min(1),
  columns: z.record(column, z.enum(["int64", "float64", "string", "boolean", "timestamp"])),
  eventId: columnList,
  eventTime: column.exactOptional(),
  available: z.discriminatedUnion("rule", [
    z.strictObject({ rule: z.literal("at-event") }),
    z.strictObject({
      rule: z.literal("next-day"),
      at: z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, "a time of day, HH:MM"),
    }),
    z.strictObject({ rule: z.literal("column"), column }),
  ]),
  subject: column.exactOptional(),
  stream: z.strictObject({ windowRecords: z.int().positive().max(100_000) }).exactOptional(),
});

const filter = z
  .array(
    z.strictObject({
      column,
      is: z.enum(["=", "!=", "<", "<=", ">", ">="]),
      value: z.union([z.number(), z.string(), z.boolean()]),
    }),
  )
  .max(16);

const plan = z.discriminatedUnion("from", [
  z.strictObject({ from: z.literal("example"), column, type: featureType }),
  z.strictObject({
    from: z.literal("lookup"),
    source: name,
    keys: columnList,
    column,
    type: featureType,
  }),
  z.strictObject({
    from: z.literal("aggregate"),
    source: name,
    keys: columnList,
    where: filter.exactOptional(),
    aggregate: z.discriminatedUnion("op", [
      z.strictObject({ op: z.literal("count") }),
      z.strictObject({ op: z.literal("count-distinct"), column }),
      z.strictObject({ op: z.literal("sum"), column }),
      z.strictObject({ op: z.literal("latest"), column }),
      z.strictObject({ op: z.literal("latest-time") }),
    ]),
    windowDays: days.exactOptional(),
    type: featureType,
  }),
]);

const view = z.strictObject({
  kind: z.literal("feature-view"),
  name,
  version: z.int().positive(),
  author: words,
  reason: words,
  features: z.record(
    column.refine(
      (c) => !exampleColumns.some((own) => own.name === c),
      "is a column that every dataset has: give it another name",
    ),
    plan,
  ),
});

/** Of an input's expression only what it reads matters here: `feature` at its leaves. */
const expression: z.ZodType = z.looseObject({
  op: z.string(),
  feature: column.exactOptional(),
  get of() {
    return z.union([expression, z.array(expression)]).exactOptional();
  },
  get by() {
    return expression.exactOptional();
  },
  get minus() {
    return expression.exactOptional();
  },
});

/** Of a model, the feature store reads what its rows depend on; the registry checks the rest. */
const model = z.looseObject({
  kind: z.literal("model"),
  name,
  purpose: words,
  examples: z.discriminatedUnion("kind", [
    z.strictObject({
      kind: z.literal("rows"),
      source: name,
      label: column,
      holdoutShare: z.number().gt(0).lt(1).exactOptional(),
    }),
    z.strictObject({
      kind: z.literal("candidates"),
      visits: z.strictObject({ source: name, keys: columnList }),
      candidates: z.strictObject({ source: name, on: columnList, item: column }),
      negatives: z.strictObject({ perVisit: z.int().positive().max(10_000), seed: z.int() }),
      ranking: z.strictObject({
        visitsMax: z.int().positive().max(1_000_000),
        seed: z.int(),
        at: z.int().positive(),
      }),
    }),
  ]),
  partitioning: z.discriminatedUnion("by", [
    z.strictObject({ by: z.literal("column"), column }),
    z.strictObject({ by: z.literal("time"), unit: z.enum(["day", "week", "month"]) }),
    z.strictObject({ by: z.literal("log") }),
    z.strictObject({ by: z.literal("none") }),
  ]),
  views: z
    .array(z.string().regex(/^[a-z][a-z0-9_-]*@\d+$/, "a view's name and version, name@1"))
    .min(1),
  inputs: z.array(z.looseObject({ name: words, of: expression })),
  slices: z.array(
    z.strictObject({ name: words, by: column.exactOptional(), where: filter.exactOptional() }),
  ),
  fallback: z.looseObject({ name: words, feature: column.exactOptional() }),
});

export type StoredDefinition = SourceDefinition | FeatureViewDefinition;

/** @throws {HeddleError} INVALID_ARGUMENT DEFINITION_INVALID naming each wrong or unknown key. */
export function parseDefinition(json: string): StoredDefinition {
  const value = read(json, "the definition");
  const kind = said(value, "kind");
  const what = `${kind} ${said(value, "name")}`;
  if (kind === "source") return checkSource(parseStrict(source, value, what, invalid));
  if (kind === "feature-view") return parseStrict(view, value, what, invalid);
  throw refuse(`the kind of a definition to apply here is source or feature-view, not ${kind}`);
}

/** @throws {HeddleError} INVALID_ARGUMENT DEFINITION_INVALID. */
export function parseModel(json: string): ModelDefinition {
  const value = read(json, "the model definition");
  const what = `model ${said(value, "name")}`;
  return parseStrict(model, value, what, invalid) as unknown as ModelDefinition;
}

const invalid = "DEFINITION_INVALID";

/** A key of what somebody sent, in words; an object of its own `toString` has no text but JSON. */
function said(value: unknown, key: string): string {
  const found = (value as Readonly<Record<string, unknown>> | null)?.[key];
  return typeof found === "string" ? found : (JSON.stringify(found) ?? "undefined");
}

function read(json: string, what: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw refuse(`${what} is no JSON: ${messageOf(error)}`);
  }
}

function checkSource(definition: SourceDefinition): SourceDefinition {
  const { columns, eventId, eventTime, available, subject, stream } = definition;
  const type = (c: string): string | undefined =>
    Object.hasOwn(columns, c) ? columns[c] : undefined;
  const use = (c: string | undefined, as: string, types?: readonly string[]): void => {
    if (c === undefined) return;
    const found = type(c);
    if (found === undefined) {
      throw refuse(
        `source ${definition.name}: ${as} names the column "${c}", which columns does not declare`,
      );
    }
    if (types !== undefined && !types.includes(found)) {
      throw refuse(
        `source ${definition.name}: ${as} "${c}" must be ${types.join(" or ")}, not ${found}`,
      );
    }
  };
  eventId.forEach((c) => use(c, "eventId"));
  use(eventTime, "eventTime", ["timestamp"]);
  use(subject, "subject", ["int64", "string"]);
  if (available.rule === "column") use(available.column, "available", ["timestamp"]);
  if (eventTime === undefined && stream !== undefined) {
    throw refuse(
      `source ${definition.name}: a stream needs an eventTime, for a reference table is replaced whole`,
    );
  }
  if (eventTime === undefined && available.rule === "next-day") {
    throw refuse(`source ${definition.name}: a next-day rule needs an eventTime to count from`);
  }
  return definition;
}

export function refuse(message: string, reason = invalid): HeddleError {
  return new HeddleError("INVALID_ARGUMENT", reason, message);
}
