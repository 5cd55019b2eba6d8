import type { CategoryExpression } from "@heddle/sdk";
import type { BatchPart } from "./batch-part.ts";
import { badPlan, columnOf, notANumber, wrongType } from "./errors.ts";
import { combineIds, dictionaryIds, nullId, valueId } from "./hash.ts";
import { compileNumber, featuresOf, fitted } from "./number.ts";
import type { CodedIds, Fit } from "./port.ts";

/** Evaluates an expression over some rows. */
export type CategoryProgram = (part: BatchPart) => CodedIds;

/** Compiles an expression to ids. `path` is the key of what was fitted for it. */
export function compileCategory(
  expression: CategoryExpression,
  input: string,
  path: string,
  fit: Fit,
): CategoryProgram {
  switch (expression.op) {
    case "category":
      return (part) => categories(part, expression.feature, input);
    case "bucketise":
      return buckets(expression, expression.bounds, input, path, fit);
    case "quantile":
      return buckets(expression, fitted(fit.quantile, path), input, path, fit);
    case "cross":
      return cross(
        expression.of.map((part, i) => compileCategory(part, input, `${path}/of.${i}`, fit)),
        path,
      );
    default:
      throw badPlan(
        "UNKNOWN_TRANSFORM",
        `${path} asks for ${JSON.stringify((expression as { op?: unknown }).op)}, which gives no category: see @heddle/sdk for those that do`,
      );
  }
}

/** Raw features an expression reads. */
export function categoryFeatures(expression: CategoryExpression): readonly string[] {
  switch (expression.op) {
    case "category":
      return [expression.feature];
    case "cross":
      return expression.of.flatMap(categoryFeatures);
    default:
      return featuresOf(expression.of);
  }
}

function categories(
  { batch, from, to, memory }: BatchPart,
  feature: string,
  input: string,
): CodedIds {
  const column = columnOf(batch, feature, input);
  if (column.type !== "category") throw wrongType(feature, input, "a category", column.type);
  const ids = dictionaryIds(input, column.dictionary);
  const codes = memory.int32(to - from);
  codes.set(column.codes.subarray(from, to));
  const missing = column.dictionary.length;
  for (let i = 0; i < codes.length; i++) if ((codes[i] as number) < 0) codes[i] = missing;
  return { ids, codes, shared: true };
}

/** Buckets have the ids of their numbers as text; null is one more. */
function buckets(
  expression: Extract<CategoryExpression, { op: "bucketise" | "quantile" }>,
  bounds: readonly number[],
  input: string,
  path: string,
  fit: Fit,
): CategoryProgram {
  if (!bounds.every((bound, i) => i === 0 || bound > (bounds[i - 1] as number))) {
    throw badPlan("BOUNDS_NOT_ASCENDING", `the bounds of ${path} must ascend: [${bounds.join()}]`);
  }
  const program = compileNumber(expression.of, input, `${path}/of`, fit);
  const ids = new BigUint64Array(bounds.length + 2);
  for (let bucket = 0; bucket <= bounds.length; bucket++) ids[bucket] = valueId(input, `${bucket}`);
  ids[bounds.length + 1] = nullId(input);
  const missing = bounds.length + 1;
  return (part) => {
    const { values, valid } = program(part);
    const codes = part.memory.int32(values.length);
    for (let i = 0; i < values.length; i++) {
      const x = values[i] as number;
      if (valid?.[i] === 0) codes[i] = missing;
      else if (Number.isNaN(x))
        throw notANumber(featuresOf(expression.of), input, part.from + i, x);
      else codes[i] = boundsUpTo(bounds, x);
    }
    return { ids, codes, shared: true };
  };
}

/** How many of the ascending bounds are at most x. */
function boundsUpTo(bounds: readonly number[], x: number): number {
  let low = 0;
  let high = bounds.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((bounds[middle] as number) <= x) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** One id a row, mixed from those of the parts in their order. */
function cross(parts: readonly CategoryProgram[], path: string): CategoryProgram {
  if (parts.length < 2) {
    throw badPlan(
      "CROSS_OF_ONE",
      `${path} crosses ${parts.length} categories, expected two or more`,
    );
  }
  return (given) => {
    const ids = new BigUint64Array(given.to - given.from);
    const rows = new Uint32Array(ids.buffer);
    for (const part of parts) {
      const coded = part(given);
      combineIds(rows, new Uint32Array(coded.ids.buffer), coded.codes);
    }
    const codes = given.memory.int32(ids.length);
    for (let i = 0; i < codes.length; i++) codes[i] = i;
    return { ids, codes, shared: false };
  };
}
