import type { Optimizer } from "@heddle/sdk";
import { z } from "zod";

const positive = z.number().positive();
const notNegative = z.number().min(0);
/** What is kept of an average from push to push. */
const kept = z.number().min(0).lt(1);
const rate = positive;

const sgd = z.strictObject({ kind: z.literal("sgd"), rate });
const momentum = z.strictObject({ kind: z.literal("momentum"), rate, momentum: kept });
const accumulator = { rate, initialAccumulator: positive };
const adagrad = z.strictObject({ kind: z.literal("adagrad"), ...accumulator });
const rowwiseAdagrad = z.strictObject({ kind: z.literal("rowwise-adagrad"), ...accumulator });
const averages = { rate, beta1: kept, beta2: kept, epsilon: positive.exactOptional() };
const adam = z.strictObject({ kind: z.literal("adam"), ...averages });
const penalties = { rate, beta: positive, l1: notNegative, l2: notNegative };
const ftrl = z.strictObject({ kind: z.literal("ftrl"), ...penalties });

/** The update rules that a definition may name. */
export const OptimizerSchema: z.ZodType<Optimizer> = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("adagrad"),
    embeddingRate: rate,
    denseRate: rate,
    initialAccumulator: notNegative,
  }),
  z.strictObject({
    kind: z.literal("separate"),
    embeddings: z.discriminatedUnion("kind", [sgd, momentum, adagrad, adam, rowwiseAdagrad, ftrl]),
    dense: z.discriminatedUnion("kind", [sgd, momentum, adagrad, adam]),
  }),
]);
