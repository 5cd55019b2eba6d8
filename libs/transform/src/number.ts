import type { NumberExpression } from "@heddle/sdk";
import type { BatchPart } from "./batch-part.ts";
import { badPlan, columnOf, notANumber, wrongType } from "./errors.ts";
import type { Fit } from "./port.ts";

/** Numbers of some rows, in the memory that was given for them. */
export interface Numbers {
  /** shape [rows]; anything where null. */
  readonly values: Float64Array;
  /** shape [rows], 1 or 0; absent when no row is null. */
  readonly valid: Uint8Array | undefined;
}

/** Evaluates an expression over some rows. */
export type NumberProgram = (part: BatchPart) => Numbers;

const dayMs = 86_400_000;

/**
 * Compiles an expression to a chain of column operations.
 *
 * @param input whose expression it is, for messages.
 * @param path of the expression in the plan: the key of what was fitted for it.
 */
export function compileNumber(
  expression: NumberExpression,
  input: string,
  path: string,
  fit: Fit,
): NumberProgram {
  const inner = (of: NumberExpression, step = "of"): NumberProgram =>
    compileNumber(of, input, `${path}/${step}`, fit);
  switch (expression.op) {
    case "value":
      return (part) => rawNumbers(part, expression.feature, input, false);
    case "age-days":
      return (part) => {
        const { values, valid } = rawNumbers(part, expression.feature, input, true);
        const { exampleTimeMs } = part.batch;
        for (let i = 0; i < values.length; i++) {
          const timeMs = exampleTimeMs[part.from + i] as number;
          values[i] = (timeMs - (values[i] as number)) / dayMs;
        }
        return { values, valid };
      };
    case "is-missing":
      return (part) => missing(part, expression.feature, input);
    case "log1p":
      return inPlace(inner(expression.of), (values) => {
        for (let i = 0; i < values.length; i++) values[i] = Math.log1p(values[i] as number);
      });
    case "clip": {
      const { low, high } = expression;
      return inPlace(inner(expression.of), (values) => {
        for (let i = 0; i < values.length; i++) {
          values[i] = Math.min(Math.max(values[i] as number, low), high);
        }
      });
    }
    case "scale": {
      const { factor, offset = 0 } = expression;
      return inPlace(inner(expression.of), (values) => {
        for (let i = 0; i < values.length; i++)
          values[i] = ((values[i] as number) + offset) * factor;
      });
    }
    case "standardise": {
      const { mean, deviation } = fitted(fit.standardise, path);
      return inPlace(inner(expression.of), (values) => {
        for (let i = 0; i < values.length; i++)
          values[i] = ((values[i] as number) - mean) / deviation;
      });
    }
    case "ratio":
      return ratio(inner(expression.of), inner(expression.by, "by"));
    case "difference":
      return difference(inner(expression.of), inner(expression.minus, "minus"));
    case "default":
      return filled(inner(expression.of), expression.value);
    default:
      throw badPlan(
        "UNKNOWN_TRANSFORM",
        `${path} asks for ${JSON.stringify((expression as { op?: unknown }).op)}, which is no transform of numbers: see @heddle/sdk for those there are`,
      );
  }
}

/** Raw features an expression reads. */
export function featuresOf(expression: NumberExpression): readonly string[] {
  switch (expression.op) {
    case "value":
    case "age-days":
    case "is-missing":
      return [expression.feature];
    case "ratio":
      return [...featuresOf(expression.of), ...featuresOf(expression.by)];
    case "difference":
      return [...featuresOf(expression.of), ...featuresOf(expression.minus)];
    default:
      return featuresOf(expression.of);
  }
}

/**
 * What was fitted under a path.
 *
 * @throws {HeddleError} INVALID_ARGUMENT MISSING_FIT.
 */
export function fitted<T>(fits: Readonly<Record<string, T>>, path: string): T {
  const found = Object.hasOwn(fits, path) ? fits[path] : undefined;
  if (found !== undefined) return found;
  throw badPlan(
    "MISSING_FIT",
    `nothing was fitted for ${path}: fit this plan on training rows, or take the fit that belongs to it`,
  );
}

function rawNumbers(
  { batch, from, to, memory }: BatchPart,
  feature: string,
  input: string,
  timestamp: boolean,
): Numbers {
  const column = columnOf(batch, feature, input);
  if (column.type === "category" || (column.type === "timestamp") !== timestamp) {
    throw wrongType(feature, input, timestamp ? "a timestamp" : "a number", `a ${column.type}`);
  }
  const values = memory.float64(to - from);
  values.set(column.values.subarray(from, to));
  const valid = column.valid?.subarray(from, to);
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i]) || valid?.[i] === 0) continue;
    throw notANumber([feature], input, from + i, values[i] as number);
  }
  return { values, valid };
}

function missing({ batch, from, to, memory }: BatchPart, feature: string, input: string): Numbers {
  const column = columnOf(batch, feature, input);
  const values = memory.float64(to - from).fill(0);
  if (column.type === "category") {
    for (let i = 0; i < values.length; i++)
      values[i] = (column.codes[from + i] as number) < 0 ? 1 : 0;
  } else if (column.valid !== undefined) {
    for (let i = 0; i < values.length; i++) values[i] = 1 - (column.valid[from + i] as number);
  }
  return { values, valid: undefined };
}

/** Loops stand where they are used: a shared one that calls back costs several times as much per value. */
function inPlace(inner: NumberProgram, change: (values: Float64Array) => void): NumberProgram {
  return (part) => {
    const numbers = inner(part);
    change(numbers.values);
    return numbers;
  };
}

function filled(inner: NumberProgram, value: number): NumberProgram {
  return (part) => {
    const { values, valid } = inner(part);
    if (valid !== undefined) {
      for (let i = 0; i < values.length; i++) if (valid[i] === 0) values[i] = value;
    }
    return { values, valid: undefined };
  };
}

function difference(of: NumberProgram, minus: NumberProgram): NumberProgram {
  return (part) => {
    const left = of(part);
    const right = minus(part);
    const { values } = left;
    for (let i = 0; i < values.length; i++) {
      values[i] = (values[i] as number) - (right.values[i] as number);
    }
    return { values, valid: both(left.valid, right.valid) };
  };
}

function ratio(of: NumberProgram, by: NumberProgram): NumberProgram {
  return (part) => {
    const left = of(part);
    const right = by(part);
    const { values } = left;
    let valid = both(left.valid, right.valid);
    for (let i = 0; i < values.length; i++) {
      const divisor = right.values[i] as number;
      if (divisor === 0) {
        valid ??= new Uint8Array(values.length).fill(1);
        valid[i] = 0;
      } else {
        values[i] = (values[i] as number) / divisor;
      }
    }
    return { values, valid };
  };
}

/** Valid where both are; a new array, because those of columns are the batch's own. */
function both(left: Uint8Array | undefined, right: Uint8Array | undefined): Uint8Array | undefined {
  if (left === undefined || right === undefined) return (left ?? right)?.slice();
  return left.map((valid, i) => valid & (right[i] as number));
}
