import type { Optimizer, TableOptimizer } from "@heddle/kernels";
import type { DenseParameter, Table } from "@heddle/proto/parameter-server";

type Declared = Pick<Table | DenseParameter, "optimizer" | "rate" | "initialAccumulator">;

/** Adagrad divides by √accumulator + this, where a declaration names no rule; TensorFlow's default. */
const adagradEpsilon = 1e-7;

/**
 * The update rule that a table declares.
 *
 * @param invalid makes the error that says why there is none.
 */
export function rowOptimizer(declared: Declared, invalid: (why: string) => Error): TableOptimizer {
  const optimizer = read(declared);
  if (optimizer === undefined) throw invalid("names no update rule that this release knows");
  for (const [name, number] of Object.entries(optimizer)) {
    const range = typeof number === "number" ? ranges[name] : undefined;
    // What counts is what float32 makes of it.
    if (range === undefined || range.holds(Math.fround(number as number))) continue;
    throw invalid(`has ${name} ${number}, which is not ${range.text}`);
  }
  return optimizer;
}

/** The update rule that a dense parameter declares; errors as in `rowOptimizer`. */
export function denseOptimizer(declared: Declared, invalid: (why: string) => Error): Optimizer {
  const optimizer = rowOptimizer(declared, invalid);
  if (optimizer.kind !== "rowwise-adagrad" && optimizer.kind !== "ftrl") return optimizer;
  throw invalid(`has the update rule ${optimizer.kind}, which only tables have`);
}

function read({ optimizer, rate, initialAccumulator }: Declared): TableOptimizer | undefined {
  if (optimizer === undefined) {
    return { kind: "adagrad", rate, initialAccumulator, epsilon: adagradEpsilon };
  }
  const { rule } = optimizer;
  switch (rule.case) {
    case "sgd":
      return { kind: "sgd", rate: rule.value.rate };
    case "momentum":
      return { ...numbersOf(rule.value), kind: "momentum" };
    case "adagrad":
      return { ...numbersOf(rule.value), kind: "adagrad" };
    case "rowwiseAdagrad":
      return { ...numbersOf(rule.value), kind: "rowwise-adagrad" };
    case "adam":
      return { ...numbersOf(rule.value), kind: "adam" };
    case "ftrl":
      return { ...numbersOf(rule.value), kind: "ftrl" };
    default:
      return undefined;
  }
}

/** The fields of a message that its definition names. */
function numbersOf<T extends { readonly $typeName: string; readonly $unknown?: unknown }>(
  message: T,
) {
  const { $typeName: _type, $unknown: _unknown, ...numbers } = message;
  return numbers;
}

interface Range {
  readonly text: string;
  readonly holds: (x: number) => boolean;
}
const above0: Range = { text: "above 0", holds: (x) => x > 0 && x < Infinity };
const atLeast0: Range = { text: "at least 0", holds: (x) => x >= 0 && x < Infinity };
const kept: Range = { text: "from 0 to less than 1", holds: (x) => x >= 0 && x < 1 };
const ranges: Readonly<Record<string, Range>> = {
  ...{ rate: above0, initialAccumulator: above0, beta: above0 },
  ...{ epsilon: atLeast0, l1: atLeast0, l2: atLeast0 },
  ...{ momentum: kept, beta1: kept, beta2: kept },
};
