import { z } from "zod";

const name = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, {
  error: "must be 1 to 64 of a-z, 0-9, _ and -, and start with a letter or digit",
});

const after = z.array(name);

const PartitionRangeSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("training"),
    from: z.exactOptional(z.union([z.int(), z.string().min(1)])),
  }),
  z.strictObject({ kind: z.literal("next") }),
  z.strictObject({ kind: z.literal("log"), windows: z.int().positive().max(1_000) }),
  z.strictObject({
    kind: z.literal("log-next"),
    after: z.int().positive().max(1_000),
    windows: z.int().positive().max(1_000),
  }),
]);

const StepSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("build-dataset"),
    partitions: PartitionRangeSchema,
    use: z.enum(["training", "evaluation", "ranking"]),
    after: z.exactOptional(after),
  }),
  z.strictObject({
    kind: z.literal("train"),
    dataset: name,
    warmStart: z.boolean(),
    shards: z.int().nonnegative(),
    learners: z.exactOptional(z.int().positive()),
    executor: z.exactOptional(z.enum(["auto", "onnx", "tensorflow", "tfjs"])),
    after,
  }),
  z.strictObject({
    kind: z.literal("evaluate"),
    version: name,
    dataset: name,
    ranking: z.exactOptional(name),
    after,
  }),
  z.strictObject({ kind: z.literal("gate"), evaluation: name, after }),
  z.strictObject({ kind: z.literal("publish"), gate: name, fleet: name, after }),
]);

/** The shape of a pipeline definition; what its steps say of one another is checked in `pipeline.ts`. */
export const PipelineSchema = z.strictObject({
  kind: z.literal("pipeline"),
  name,
  owner: z.string().min(1),
  model: z.string().min(1),
  steps: z.record(name, StepSchema),
  retries: z.strictObject({
    attemptsMax: z.int().min(1).max(100),
    initialMs: z.int().nonnegative(),
    maxMs: z.int().nonnegative(),
  }),
});
