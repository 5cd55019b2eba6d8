import type { CategoryExpression, NumberExpression } from "@heddle/sdk";
import { z } from "zod";

/** Of a column of a source, a feature or an input. */
export const columnName = z.string().min(1).max(200);

/** An expression inside of another. */
const number = z.lazy(() => Numbers);
const category = z.lazy(() => Categories);

const Numbers: z.ZodType<NumberExpression> = z.discriminatedUnion("op", [
  z.strictObject({ op: z.literal("value"), feature: columnName }),
  z.strictObject({ op: z.literal("age-days"), feature: columnName }),
  z.strictObject({ op: z.literal("is-missing"), feature: columnName }),
  z.strictObject({ op: z.literal("log1p"), of: number }),
  z.strictObject({ op: z.literal("clip"), of: number, low: z.number(), high: z.number() }),
  z.strictObject({
    op: z.literal("scale"),
    of: number,
    factor: z.number(),
    offset: z.number().exactOptional(),
  }),
  z.strictObject({ op: z.literal("ratio"), of: number, by: number }),
  z.strictObject({ op: z.literal("difference"), of: number, minus: number }),
  z.strictObject({ op: z.literal("default"), of: number, value: z.number() }),
  z.strictObject({ op: z.literal("standardise"), of: number }),
]);

const ascending = z
  .array(z.number())
  .min(1)
  .max(10_000)
  .refine(
    (bounds) => bounds.every((bound, i) => i === 0 || bound > (bounds[i - 1] ?? bound)),
    "expected bounds in ascending order, each once",
  );

const Categories: z.ZodType<CategoryExpression> = z.discriminatedUnion("op", [
  z.strictObject({ op: z.literal("category"), feature: columnName }),
  z.strictObject({ op: z.literal("bucketise"), of: Numbers, bounds: ascending }),
  z.strictObject({ op: z.literal("quantile"), of: Numbers, buckets: z.int().min(2).max(10_000) }),
  z.strictObject({ op: z.literal("cross"), of: z.array(category).min(2).max(8) }),
]);

/** What a model sees, in the order of its columns. */
export const InputSchema = z.discriminatedUnion("kind", [
  z.strictObject({ name: columnName, kind: z.literal("numeric"), of: Numbers }),
  z.strictObject({ name: columnName, kind: z.literal("embedding"), of: Categories }),
]);
