import { contentName, HeddleError, messageOf } from "@heddle/base";
import { parseStrict } from "@heddle/config";
import type { ModelDefinition } from "@heddle/sdk";
import { z } from "zod";
import { ArchitectureSchema } from "./architecture.ts";
import { columnName, InputSchema } from "./input-schema.ts";
import { OptimizerSchema } from "./optimizer.ts";
import { RowOptionsSchema } from "./row-options.ts";

/** A model definition that was checked, and the name its content gives it. */
export interface Configuration {
  readonly configuration: string;
  readonly definition: ModelDefinition;
}

/**
 * Reads a model definition as the SDK writes it and names it by its content.
 *
 * @throws {HeddleError} INVALID_ARGUMENT DEFINITION_INVALID naming every wrong place; an unknown key
 * with the nearest known one.
 */
export function readDefinition(definitionJson: string): Configuration {
  const value = readJson(definitionJson);
  const name = (value as { name?: unknown } | null)?.name;
  const what = typeof name === "string" ? `model definition ${name}` : "model definition";
  const definition: ModelDefinition = parseStrict(Definition, value, what, "DEFINITION_INVALID");
  return { configuration: contentName(definition), definition };
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new HeddleError(
      "INVALID_ARGUMENT",
      "DEFINITION_INVALID",
      `the model definition is not JSON (${messageOf(error)}); send what defineModel returned`,
    );
  }
}

const count = z.int().positive();
const share = z.number().min(0).max(1);
const text = z.string().min(1).max(1_000);
/** Also a part of object names and file names, so it is short and plain. */
const name = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{0,63}$/, "expected up to 64 of a–z, 0–9, _ and -, a letter first");
const viewVersion = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{0,63}@[1-9][0-9]{0,5}$/, "expected name@version, as in household@1");

const Examples = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("rows"),
    source: columnName,
    label: columnName,
    holdoutShare: share.exactOptional(),
  }),
  z.strictObject({
    kind: z.literal("candidates"),
    visits: z.strictObject({ source: columnName, keys: z.array(columnName).min(1) }),
    candidates: z.strictObject({
      source: columnName,
      on: z.array(columnName).min(1),
      item: columnName,
    }),
    negatives: z.strictObject({ perVisit: count, seed: z.int() }),
    ranking: z.strictObject({ visitsMax: count, seed: z.int(), at: count }),
  }),
]);

const Partitioning = z.discriminatedUnion("by", [
  z.strictObject({ by: z.literal("column"), column: columnName }),
  z.strictObject({ by: z.literal("time"), unit: z.enum(["day", "week", "month"]) }),
  z.strictObject({ by: z.literal("none") }),
]);

/** A shard counts pushes by each staleness, and a lane carries so many updates of a learner at a time. */
const Mode = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("exact") }),
  z
    .strictObject({
      kind: z.literal("bounded"),
      staleness: z.int().min(0).max(10_000),
      inFlight: z.int().min(1).max(48),
      pushesPerSecond: z.number().positive().exactOptional(),
      rowAge: z.int().min(0).exactOptional(),
    })
    .refine(
      // A row of that age, and all others in flight pushed before its own update: still within the bound.
      ({ staleness, inFlight, rowAge = 0 }) => rowAge === 0 || rowAge + inFlight - 1 <= staleness,
      "expected rowAge to be at most staleness less the updates in flight beside one's own (inFlight - 1)",
    ),
]);

/** Names of tables and dense parameters, or of layers. */
const parameters = z.array(columnName).min(1).max(10_000).exactOptional();
const Transfer = z
  .strictObject({
    from: z.string().regex(/^[0-9a-f]{64}$/, "expected the 64 hexadecimal digits of a version"),
    tables: parameters,
    dense: parameters,
    frozen: parameters,
  })
  .refine(
    ({ tables, dense }) => tables !== undefined || dense !== undefined,
    "expected tables, dense or both: which parameters are taken over",
  )
  .refine(
    ({ tables = [], dense = [], frozen = [] }) =>
      frozen.every((name) =>
        [...tables, ...dense].some((of) => name === of || name.startsWith(`${of}_`)),
      ),
    "expected frozen to name only what tables and dense take over",
  );

const Training = z.strictObject({
  batchSize: z.int().min(1).max(65_536),
  seed: z.int(),
  optimizer: OptimizerSchema,
  embeddingDeviation: z.number().min(0),
  rows: RowOptionsSchema.exactOptional(),
  snapshotSteps: count,
  lag: z.union([z.literal(0), z.literal(1)]),
  /** A shard refuses more: a lane carries so many calls at a time. */
  microBatches: z.int().min(1).max(24).exactOptional(),
  mode: Mode.exactOptional(),
  precision: z.enum(["float32", "bfloat16"]).exactOptional(),
  earlyStopping: z
    .strictObject({ patience: count, minDelta: z.number().min(0).exactOptional() })
    .exactOptional(),
  transfer: Transfer.exactOptional(),
});

const Filter = z.array(
  z.strictObject({
    column: columnName,
    is: z.enum(["=", "!=", "<", "<=", ">", ">="]),
    value: z.union([z.number(), z.string(), z.boolean()]),
  }),
);

const Slice = z
  .strictObject({ name: columnName, by: columnName.exactOptional(), where: Filter.exactOptional() })
  .refine(
    (slice) => (slice.by === undefined) !== (slice.where === undefined),
    "expected either by or where",
  );

const Gate = z.strictObject({
  aucDropMax: share,
  logLossRiseMax: z.number().min(0),
  calibrationErrorMax: z.number().min(0),
  beatFallback: z.boolean(),
  positivesMin: z.int().min(0),
  sliceShareChangeMax: z.number().min(1),
});

const unique = (of: string) =>
  [
    (items: readonly { readonly name: string }[]) =>
      new Set(items.map((item) => item.name)).size === items.length,
    `expected each ${of} name once`,
  ] as const;

const Definition = z.strictObject({
  kind: z.literal("model"),
  name,
  owner: text,
  author: text,
  purpose: text,
  examples: Examples,
  partitioning: Partitioning,
  views: z.array(viewVersion).max(1_000),
  inputs: z
    .array(InputSchema)
    .min(1)
    .max(10_000)
    .refine(...unique("input")),
  architecture: ArchitectureSchema,
  shortTerm: z
    .strictObject({
      share: z.number().gt(0).lt(1).exactOptional(),
      optimizer: OptimizerSchema.exactOptional(),
    })
    .exactOptional(),
  training: Training.refine(
    ({ mode, microBatches = 1 }) => mode?.kind !== "bounded" || microBatches === 1,
    "expected no microBatches in bounded mode: there each learner has batches of its own",
  )
    .refine(
      ({ mode, earlyStopping }) => mode?.kind !== "bounded" || earlyStopping === undefined,
      "expected no earlyStopping in bounded mode: there losses depend on timing, and learners may be past a cut before it is judged",
    )
    .refine(
      ({ optimizer, transfer: { tables = [], frozen = [] } = {} }) =>
        optimizer.kind !== "separate" ||
        optimizer.embeddings.kind !== "ftrl" ||
        tables.every((name) => frozen.includes(name)),
      "expected no transfer of a table that ftrl trains: it computes weights from its own slots alone; freeze the table, or choose another rule",
    ),
  metrics: z.array(columnName),
  slices: z.array(Slice).refine(...unique("slice")),
  gate: Gate,
  fallback: z.strictObject({ name: columnName, feature: columnName.exactOptional() }),
});
