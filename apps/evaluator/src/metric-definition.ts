import { contentName, HeddleError, messageOf } from "@heddle/base";
import { parseStrict } from "@heddle/config";
import type { MetricDefinition, MetricExpression } from "@heddle/sdk";
import { z } from "zod";

/** Names that the evaluator's own metrics have; `ndcg@…` too. */
const builtIn = ["auc", "log-loss", "calibration"];

/** An expression inside of another. */
const inner = z.lazy(() => Expression);

const Expression: z.ZodType<MetricExpression> = z.discriminatedUnion("op", [
  z.strictObject({ op: z.literal("label") }),
  z.strictObject({ op: z.literal("prediction") }),
  z.strictObject({ op: z.literal("constant"), value: z.number() }),
  z.strictObject({
    op: z.enum(["add", "subtract", "multiply", "divide", "minimum", "maximum", "at-least"]),
    left: inner,
    right: inner,
  }),
  z.strictObject({ op: z.enum(["absolute", "logarithm"]), of: inner }),
]);

const text = z.string().min(1).max(1_000);
const Definition = z.strictObject({
  kind: z.literal("metric"),
  name: z
    .string()
    .regex(/^[a-z][a-z0-9_-]{0,63}$/, "expected up to 64 of a–z, 0–9, _ and -, a letter first")
    .refine((name) => !builtIn.includes(name), "expected another name than a built-in metric's"),
  author: text,
  reason: text,
  better: z.enum(["higher", "lower"]),
  each: Expression,
});

/** A checked metric definition, and the name its content gives it. */
export interface StoredMetric {
  readonly digest: string;
  readonly definition: MetricDefinition;
}

/**
 * Reads a metric definition as the SDK writes it.
 *
 * @throws {HeddleError} INVALID_ARGUMENT DEFINITION_INVALID naming every wrong place.
 */
export function readMetric(definitionJson: string): StoredMetric {
  let value: unknown;
  try {
    value = JSON.parse(definitionJson);
  } catch (error) {
    throw new HeddleError(
      "INVALID_ARGUMENT",
      "DEFINITION_INVALID",
      `the metric definition is not JSON (${messageOf(error)}); send what defineMetric returned`,
    );
  }
  const definition = parseStrict(Definition, value, "metric definition", "DEFINITION_INVALID");
  return { digest: contentName(definition), definition };
}
