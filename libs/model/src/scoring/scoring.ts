import { canonicalJson, present } from "@heddle/base";
import type { Executor } from "@heddle/executor";
import type { ModelDefinition } from "@heddle/sdk";
import { type ColumnBatch, compileTransform, type Fit, openArena } from "@heddle/transform";
import { memoryDigest, type ModelTensors } from "../digest.ts";
import { createLookup } from "./lookup.ts";
import type { Widths } from "@heddle/sdk/architecture";
import { widthsOf } from "../network/architecture.ts";
import type { Scoring, TransformedRows } from "../port.ts";
import { predictStep } from "../step/steps.ts";

/** What a scorer is made of. */
export interface ModelParts extends ModelTensors {
  readonly definition: ModelDefinition;
  readonly fit: Fit;
  /** Share of sampled negatives in training, above 0, at most 1. */
  readonly negativeSamplingRate: number;
}

/** Rows that go through a model at a time: enough to amortise a call, few enough to stay in the cache. */
const chunkRows = 1_024;

/**
 * Inputs of one call. They are used again: the pages of new ones, which the system zeroes as they are touched, cost as much as
 * filling them.
 */
interface Scratch {
  readonly joined: Float32Array;
  readonly wide: Float32Array;
}

/** Brings a model into memory. */
export async function createScoring(parts: ModelParts, executor: Executor): Promise<Scoring> {
  const { definition, fit, dense, negativeSamplingRate } = parts;
  const program = compileTransform(definition.inputs, fit);
  const { step, spec } = predictStep(definition);
  const compiled = await executor.compile(step, spec);
  const widths = widthsOf(definition);
  const table = await createLookup(parts, widths);
  const scratch: Scratch[] = [];
  return {
    features: program.features,
    transformKey: canonicalJson({ inputs: definition.inputs, fit }),
    transform: (batch, from, to, memory) => ({
      rows: to - from,
      numeric: program.numeric(batch, from, to, memory),
      fields: program.codedIds(batch, from, to, memory),
    }),
    predict: async (transformed) => {
      const { rows } = transformed;
      const own = scratch.pop() ?? openScratch(widths);
      const joined = own.joined.subarray(0, rows * widths.joined);
      const wide = own.wide.subarray(0, rows * widths.fields);
      table.gather(transformed, joined, wide);
      const inputs = { ...dense, joined, ...(widths.fields > 0 ? { wide } : {}) };
      const outputs = await compiled.run(inputs, rows);
      scratch.push(own);
      const predictions = present(outputs["predictions"], "predictions");
      correct(predictions, negativeSamplingRate);
      return predictions;
    },
    memoryDigest: async () => memoryDigest({ dense, ids: await table.ids(), values: parts.values }),
    [Symbol.asyncDispose]: () => compiled[Symbol.asyncDispose](),
  };
}

/**
 * Scores rows by several models. Those with the same transforms, as versions of one family mostly have, share their work.
 *
 * @returns probabilities of each model, shape [rows], after prior correction.
 */
export async function scoreTogether(
  models: readonly Scoring[],
  batch: ColumnBatch,
): Promise<readonly Float32Array[]> {
  const scores = models.map(() => new Float32Array(batch.rows));
  const arena = openArena();
  for (let from = 0; from < batch.rows; from += chunkRows) {
    const to = Math.min(from + chunkRows, batch.rows);
    const transformed = new Map<string, TransformedRows>();
    arena.reset();
    for (const [i, model] of models.entries()) {
      const rows = transformed.get(model.transformKey) ?? model.transform(batch, from, to, arena);
      transformed.set(model.transformKey, rows);
      scores[i]?.set(await model.predict(rows), from);
    }
  }
  return scores;
}

/** Scores rows by one model: probabilities, shape [rows], after prior correction. */
export async function score(model: Scoring, batch: ColumnBatch): Promise<Float32Array> {
  const [scores] = await scoreTogether([model], batch);
  return present(scores, "scores");
}

const openScratch = ({ joined, fields }: Widths): Scratch => ({
  joined: new Float32Array(chunkRows * joined),
  wide: new Float32Array(chunkRows * fields),
});

/**
 * Undoes the sampling of negatives, in place. Training kept all positives and a share r of the negatives, so its odds are
 * 1/r of the true ones: p / (1 − p) = r · p' / (1 − p').
 */
function correct(predictions: Float32Array, r: number): void {
  if (r === 1) return;
  for (let i = 0; i < predictions.length; i++) {
    const p = predictions[i] as number;
    predictions[i] = (p * r) / (p * r + 1 - p);
  }
}
