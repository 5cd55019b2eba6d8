import type { ModelInput, NumberExpression } from "@heddle/sdk";
import {
  type Column,
  compileTransform,
  type ExampleBatch,
  fitNothing,
  textsOf,
  type TransformProgram,
} from "@heddle/transform";

/** A column as a peer reads it: numbers, or categories as codes; NaN for null. */
interface PeerColumn {
  readonly name: string;
  readonly kind: "number" | "category";
}

const dayMs = 86_400_000;

/**
 * Turns batches into columns for a peer. Features are raw, as the dataset has them, with these exceptions: a timestamp
 * becomes its age in days at the example's time, and what the model computes from two features (a ratio, a cross) is a
 * column too. Without them a tree would have to find what the model is given.
 */
export interface PeerColumns {
  readonly columns: readonly PeerColumn[];
  /** One array for each column, shape [rows]; codes mean the same in every batch. */
  of(batch: ExampleBatch): readonly Float32Array[];
}

/** @param batch any batch of the dataset: its features are the columns. */
export function peerColumns(
  inputs: readonly ModelInput[],
  { features }: Pick<ExampleBatch, "features">,
): PeerColumns {
  const names = Object.keys(features).sort();
  const derived = compileTransform(inputs.flatMap(derivedOf), fitNothing);
  const codes = new Map<string, Map<string | bigint, number>>();
  const codeOf = (column: string, word: string | bigint): number => {
    const known = codes.get(column) ?? new Map<string | bigint, number>();
    codes.set(column, known);
    const code = known.get(word) ?? known.size;
    known.set(word, code);
    return code;
  };
  const kindOf = (name: string): PeerColumn["kind"] =>
    features[name]?.type === "category" ? "category" : "number";
  return {
    columns: [
      ...names.map((name) => ({ name, kind: kindOf(name) })),
      ...derived.numericNames.map((name) => ({ name, kind: "number" as const })),
      ...derived.embeddingNames.map((name) => ({ name, kind: "category" as const })),
    ],
    of: (batch) => [
      ...names.map((name) => {
        const column = batch.features[name];
        if (column === undefined) throw new Error(`a batch without the feature ${name}`);
        return rawColumn(column, batch.exampleTimeMs, (word) => codeOf(name, word));
      }),
      ...numberColumns(derived, batch),
      ...derived.codedIds(batch).map(({ ids, codes: own }, f) => {
        const shared = Array.from(ids, (id) => codeOf(derived.embeddingNames[f] ?? "", id));
        return Float32Array.from(own, (code) => shared[code] ?? Number.NaN);
      }),
    ],
  };
}

function rawColumn(
  column: Column,
  exampleTimeMs: Float64Array,
  codeOf: (word: string) => number,
): Float32Array {
  if (column.type === "category") {
    const shared = textsOf(column.dictionary).map(codeOf);
    return Float32Array.from(column.codes, (code) => shared[code] ?? Number.NaN);
  }
  const { values, valid, type } = column;
  return Float32Array.from(values, (value, row) => {
    if (valid?.[row] === 0) return Number.NaN;
    return type === "timestamp" ? ((exampleTimeMs[row] ?? 0) - value) / dayMs : value;
  });
}

function numberColumns(program: TransformProgram, batch: ExampleBatch): Float32Array[] {
  const rows = program.numeric(batch);
  const width = program.numericNames.length;
  return program.numericNames.map((_, column) =>
    Float32Array.from({ length: batch.rows }, (_, row) => rows[row * width + column] ?? Number.NaN),
  );
}

/** Inputs made of several features, less what only bends their scale: a tree sees order alone. */
function derivedOf(input: ModelInput): ModelInput[] {
  if (input.kind === "embedding") return input.of.op === "cross" ? [input] : [];
  const of = unbent(input.of);
  return joinsFeatures(of) ? [{ ...input, of }] : [];
}

function unbent(expression: NumberExpression): NumberExpression {
  const { op } = expression;
  return op === "standardise" || op === "log1p" ? unbent(expression.of) : expression;
}

function joinsFeatures(expression: NumberExpression): boolean {
  if (expression.op === "ratio" || expression.op === "difference") return true;
  return "of" in expression && joinsFeatures(expression.of);
}
