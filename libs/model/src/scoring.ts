import type { CompiledStep, Executor, TensorData } from "@heddle/executor";
import { createIndex, halvesOf } from "@heddle/kernels";
import type { ModelDefinition } from "@heddle/sdk";
import {
  type CodedIds,
  type ColumnBatch,
  compileTransform,
  type Fit,
  type TransformProgram,
} from "@heddle/transform";
import { memoryDigest, type ModelTensors } from "./digest.ts";
import { type Widths, widthsOf } from "./parameters.ts";
import { predictStep } from "./steps.ts";

/** Rows that go through the model at a time: enough to amortise a call, few enough to stay in the cache. */
const chunkRows = 4_096;

/** What a scorer is made of. */
export interface ModelParts extends ModelTensors {
  readonly definition: ModelDefinition;
  readonly fit: Fit;
  /** Share of sampled negatives in training, above 0, at most 1. */
  readonly negativeSamplingRate: number;
}

/** A model in memory, ready to score. */
export interface Scoring {
  readonly features: readonly string[];
  score(batch: ColumnBatch): Promise<Float32Array>;
  memoryDigest(): string;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Brings a model into memory.
 *
 * A category's dictionary is looked up in the embedding table once; a row is then a copy by code. An id that training never
 * saw reads as zeros, the mean of what new rows are drawn from: an embedding without opinion.
 */
export async function createScoring(parts: ModelParts, executor: Executor): Promise<Scoring> {
  const { definition, fit, dense, negativeSamplingRate } = parts;
  const program = compileTransform(definition.inputs, fit);
  const { step, spec } = predictStep(definition);
  const compiled = await executor.compile(step, spec);
  const table = createLookup(parts, widthsOf(definition));
  return {
    features: program.features,
    score: async (batch) => {
      const scores = new Float32Array(batch.rows);
      const scratch = new Float32Array(Math.min(batch.rows, chunkRows) * table.rowWidth);
      for (let from = 0; from < batch.rows; from += chunkRows) {
        const to = Math.min(from + chunkRows, batch.rows);
        const inputs = { ...dense, ...inputsOf(program, table, batch, from, to, scratch) };
        const predictions = await predict(compiled, inputs, to - from);
        correct(predictions, negativeSamplingRate);
        scores.set(predictions, from);
      }
      return scores;
    },
    memoryDigest: () => memoryDigest({ dense, ids: table.ids(), values: parts.values }),
    [Symbol.asyncDispose]: () => compiled[Symbol.asyncDispose](),
  };
}

function inputsOf(
  program: TransformProgram,
  table: Lookup,
  batch: ColumnBatch,
  from: number,
  to: number,
  scratch: Float32Array,
): Record<string, TensorData> {
  const fields = program.codedIds(batch, from, to);
  const embedded = scratch.subarray(0, (to - from) * table.rowWidth);
  table.embed(fields, embedded);
  return {
    ...(program.numericNames.length > 0 ? { numeric: program.numeric(batch, from, to) } : {}),
    ...(fields.length > 0 ? { embedded } : {}),
  };
}

async function predict(
  compiled: CompiledStep,
  inputs: Record<string, TensorData>,
  rows: number,
): Promise<Float32Array> {
  const { predictions } = await compiled.run(inputs, rows);
  return predictions as Float32Array;
}

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

interface Lookup {
  /** Values an example row has in `embed`. */
  readonly rowWidth: number;
  /** Writes the embeddings of some rows, shape [rows, fields, 1 + dimension]. */
  embed(fields: readonly CodedIds[], out: Float32Array): void;
  /** The ids in memory, in the order of their rows. */
  ids(): BigUint64Array;
}

function createLookup(
  { ids, values }: ModelTensors,
  { fields: fieldCount, dimension }: Widths,
): Lookup {
  const width = 1 + dimension;
  const rowWidth = fieldCount * width;
  const index = createIndex(ids.length);
  const halves = halvesOf(ids);
  for (let i = 0; i < halves.length; i += 2) {
    index.findOrAdd(halves[i] as number, halves[i + 1] as number);
  }
  const known = new WeakMap<BigUint64Array, Int32Array>();

  /** Row of the table for each of a field's ids, or −1. */
  const rowsOf = (field: CodedIds): Int32Array => {
    const cached = known.get(field.ids);
    if (cached !== undefined) return cached;
    const rows = new Int32Array(field.ids.length);
    index.findAll(field.ids, rows);
    if (field.shared) known.set(field.ids, rows);
    return rows;
  };

  return {
    rowWidth,
    embed: (fields, out) => {
      fields.forEach((field, f) => {
        copyRows(values, rowsOf(field), field.codes, width, out, f * width, rowWidth);
      });
    },
    ids: () => index.ids(),
  };
}

/** Row `rowOf[codes[i]]` of `from` goes to `at + i * stride` of `out`, zeros where there is none. */
function copyRows(
  from: Float32Array,
  rowOf: Int32Array,
  codes: Int32Array,
  width: number,
  out: Float32Array,
  at: number,
  stride: number,
): void {
  for (let i = 0, to = at; i < codes.length; i++, to += stride) {
    const row = rowOf[codes[i] as number] as number;
    const end = to + width;
    if (row < 0) for (let j = to; j < end; j++) out[j] = 0;
    else for (let j = to, k = row * width; j < end; j++, k++) out[j] = from[k] as number;
  }
}
