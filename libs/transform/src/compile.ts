import type { ModelInput } from "@heddle/sdk";
import { categoryFeatures, compileCategory } from "./category.ts";
import { badPlan, notANumber } from "./errors.ts";
import { compileNumber, featuresOf, type Numbers } from "./number.ts";
import type { CodedIds, CompileTransform, Fit, TransformProgram } from "./port.ts";
import { ownArrays } from "./row-memory.ts";

/** What a plan needs that has neither `standardise` nor `quantile`. */
export const fitNothing: Fit = { standardise: {}, quantile: {} };

/**
 * Compiles a plan. It runs a column at a time, so that one row and a million take the same path.
 *
 * @throws {HeddleError} INVALID_ARGUMENT MISSING_FIT, UNKNOWN_TRANSFORM, BOUNDS_NOT_ASCENDING, CROSS_OF_ONE, DUPLICATE_INPUT.
 */
export const compileTransform: CompileTransform = (inputs, fit) => {
  refuseDuplicates(inputs);
  const numbers = inputs.filter((input) => input.kind === "numeric");
  const embeddings = inputs.filter((input) => input.kind === "embedding");
  const numericPrograms = numbers.map(({ name, of }) => ({
    name,
    program: compileNumber(of, name, name, fit),
    features: featuresOf(of),
  }));
  const idPrograms = embeddings.map(({ name, of }) => compileCategory(of, name, name, fit));

  const numeric: TransformProgram["numeric"] = (
    batch,
    from = 0,
    to = batch.rows,
    memory = ownArrays,
  ) => {
    const out = memory.float32((to - from) * numericPrograms.length);
    const part = { batch, from, to, memory };
    numericPrograms.forEach((input, column) => {
      const numbers = input.program(part);
      writeNumbers(input, numbers, from, out, column, numericPrograms.length);
    });
    return out;
  };
  const codedIds: TransformProgram["codedIds"] = (
    batch,
    from = 0,
    to = batch.rows,
    memory = ownArrays,
  ) => {
    const part = { batch, from, to, memory };
    return idPrograms.map((program) => program(part));
  };

  return {
    numericNames: numbers.map(({ name }) => name),
    embeddingNames: embeddings.map(({ name }) => name),
    features: [
      ...new Set([
        ...numbers.flatMap(({ of }) => featuresOf(of)),
        ...embeddings.flatMap(({ of }) => categoryFeatures(of)),
      ]),
    ].sort(),
    numeric,
    codedIds,
    run: (batch, from = 0, to = batch.rows) => ({
      rows: to - from,
      numeric: numeric(batch, from, to),
      ids: interleaved(codedIds(batch, from, to), to - from),
    }),
  };
};

function refuseDuplicates(inputs: readonly ModelInput[]): void {
  const names = new Set<string>();
  for (const { name } of inputs) {
    if (names.has(name)) {
      throw badPlan("DUPLICATE_INPUT", `two inputs are named ${name}: give one another name`);
    }
    names.add(name);
  }
}

/** Writes one input's column of `out`, shape [rows, width]; null and what float32 cannot hold are refused. */
function writeNumbers(
  input: { readonly name: string; readonly features: readonly string[] },
  { values, valid }: Numbers,
  from: number,
  out: Float32Array,
  column: number,
  width: number,
): void {
  for (let i = 0; i < values.length; i++) {
    const x = valid?.[i] === 0 ? null : (values[i] as number);
    if (x === null || !Number.isFinite(Math.fround(x))) {
      throw notANumber(input.features, input.name, from + i, x);
    }
    out[i * width + column] = x;
  }
}

/** Ids by row, then by input, shape [rows, inputs]. */
function interleaved(inputs: readonly CodedIds[], rows: number): BigUint64Array {
  const out = new BigUint64Array(rows * inputs.length);
  const halves = new Uint32Array(out.buffer);
  inputs.forEach(({ ids, codes }, input) => {
    const from = new Uint32Array(ids.buffer);
    let to = 2 * input;
    for (let i = 0; i < rows; i++, to += 2 * inputs.length) {
      const at = 2 * (codes[i] as number);
      halves[to] = from[at] as number;
      halves[to + 1] = from[at + 1] as number;
    }
  });
  return out;
}
