import { broadcastShape, type Dim, sameShape } from "../recording/dim.ts";
import { elementTypes, type LoweredCall, type Rule } from "./lowering.ts";

/** TensorFlow.js kernel → ONNX operator, where they mean the same. */
const unary = {
  Abs: "Abs",
  Acos: "Acos",
  Asin: "Asin",
  Atan: "Atan",
  Ceil: "Ceil",
  Cos: "Cos",
  Erf: "Erf",
  Exp: "Exp",
  Floor: "Floor",
  IsNan: "IsNaN",
  Log: "Log",
  LogicalNot: "Not",
  Neg: "Neg",
  Reciprocal: "Reciprocal",
  Relu: "Relu",
  Round: "Round",
  Sign: "Sign",
  Sin: "Sin",
  Softplus: "Softplus",
  Sqrt: "Sqrt",
  Tanh: "Tanh",
} as const;

const binary = {
  Add: "Add",
  Equal: "Equal",
  Greater: "Greater",
  GreaterEqual: "GreaterOrEqual",
  Less: "Less",
  LessEqual: "LessOrEqual",
  LogicalAnd: "And",
  LogicalOr: "Or",
  Maximum: "Max",
  Minimum: "Min",
  Pow: "Pow",
  RealDiv: "Div",
  Sub: "Sub",
} as const;

/** Kernels that work on each element by itself. */
export const elementwiseRules: Readonly<Record<string, Rule>> = {
  ...mapValues(
    unary,
    (op): Rule =>
      (c) =>
        c.graph.op(op, [c.input(0)]),
  ),
  ...mapValues(
    binary,
    (op): Rule =>
      (c) =>
        broadcasting(c, op),
  ),
  Add: (c) => gemmWithBias(c) ?? broadcasting(c, "Add"),
  AddN: (c) =>
    c.graph.op(
      "Sum",
      c.ids.map((id) => c.lowering.name(id)),
    ),
  Multiply: multiply,
  NotEqual: (c) => c.graph.op("Not", [broadcasting(c, "Equal")]),
  Square: (c) => c.graph.op("Mul", [c.input(0), c.input(0)]),
  SquaredDifference: (c) => {
    const difference = broadcasting(c, "Sub");
    return c.graph.op("Mul", [difference, difference]);
  },
  Rsqrt: (c) => c.graph.op("Reciprocal", [c.graph.op("Sqrt", [c.input(0)])]),
  LeakyRelu: (c) => c.graph.op("LeakyRelu", [c.input(0)], { alpha: { float: c.number("alpha") } }),
  Relu6: (c) => clip(c, 0, 6),
  ClipByValue: (c) => clip(c, c.number("clipValueMin"), c.number("clipValueMax")),
  Log1p: log1p,
  Sigmoid: sigmoid,
  Step: (c) => {
    const { lowering } = c;
    const positive = c.graph.op("Greater", [reluOf(c, c.id(0)), lowering.float(0)]);
    return c.graph.op("Where", [positive, lowering.float(1), lowering.float(c.number("alpha"))]);
  },
  Cast: (c) => c.graph.op("Cast", [c.input(0)], { to: elementTypes[c.output().dtype] }),
  Identity: (c) => c.input(0),
  Select: (c) =>
    c.graph.op(
      "Where",
      c.ids.map((id) => c.lowering.name(id)),
    ),
};

/**
 * A binary operator. Gradients are full of `x * ones(shape)`; since the operator broadcasts by itself, such
 * an operand is used as it was before it was spread out, when the result keeps its shape.
 */
function broadcasting(c: LoweredCall, op: string): string {
  const out = c.output().shape;
  let [left, right] = [plain(c, c.id(0)), plain(c, c.id(1))];
  const thin = narrow(c, c.id(0));
  if (thin && sameShape(broadcastShape(thin.shape, right.shape), out)) left = thin;
  const thinRight = narrow(c, c.id(1));
  if (thinRight && sameShape(broadcastShape(left.shape, thinRight.shape), out)) right = thinRight;
  return c.graph.op(op, [left.name(), right.name()]);
}

interface Operand {
  readonly shape: readonly Dim[];
  name(): string;
}

function plain(c: LoweredCall, id: number): Operand {
  return { shape: c.lowering.value(id).shape, name: () => c.lowering.name(id) };
}

/** What a value was before it was spread out: the number of a filled constant, the x of `x * ones`. */
function narrow(c: LoweredCall, id: number): Operand | undefined {
  const { lowering } = c;
  const { dtype, shape } = lowering.value(id);
  const fill = lowering.fillOf(id);
  if (fill !== undefined && shape.length > 0) {
    return { shape: [], name: () => lowering.scalar(fill, dtype) };
  }
  const product = lowering.madeBy(id, "Multiply");
  if (product === undefined) return undefined;
  if (lowering.fillOf(product.id(1)) === 1) return plain(c, product.id(0));
  if (lowering.fillOf(product.id(0)) === 1) return plain(c, product.id(1));
  return undefined;
}

/** Multiplication by ones only spreads out; by the step function of a ReLU's input it masks a gradient. */
function multiply(c: LoweredCall): string {
  const { graph, lowering } = c;
  const out = c.output().shape;
  for (const [x, factor] of [
    [c.id(0), c.id(1)],
    [c.id(1), c.id(0)],
  ] as const) {
    const shape = lowering.value(x).shape;
    if (lowering.fillOf(factor) === 1) {
      if (sameShape(shape, out)) return lowering.name(x);
      return graph.op("Expand", [lowering.name(x), lowering.dims(out)]);
    }
    const step = lowering.madeBy(factor, "Step");
    const sameShapes = sameShape(shape, out) && sameShape(lowering.value(factor).shape, out);
    if (step?.attr("alpha") === 0 && sameShapes) {
      const positive = graph.op("Greater", [reluOf(c, step.id(0)), lowering.float(0)]);
      return graph.op("Where", [positive, lowering.name(x), lowering.float(0)]);
    }
  }
  return broadcasting(c, "Mul");
}

/** The ReLU of a value when the step computes it anyway, else the value: both are positive together. */
function reluOf(c: LoweredCall, id: number): string {
  return c.lowering.name(c.lowering.readBy(id, "Relu") ?? id);
}

/** A matrix product whose only reader adds a bias vector is one Gemm. */
function gemmWithBias(c: LoweredCall): string | undefined {
  const { lowering } = c;
  const product = lowering.madeBy(c.id(0), "BatchMatMul");
  const out = c.output().shape;
  if (product === undefined || out.length !== 2 || lowering.uses(c.id(0)) !== 1) return undefined;
  if (!sameShape(c.shape(1), out.slice(1))) return undefined;
  const attrs = { transA: +product.flag("transposeA"), transB: +product.flag("transposeB") };
  return c.graph.op("Gemm", [product.input(0), product.input(1), c.input(1)], attrs);
}

function clip(c: LoweredCall, min: number, max: number): string {
  return c.graph.op("Clip", [c.input(0), c.lowering.float(min), c.lowering.float(max)]);
}

/**
 * ONNX has no log1p. Of an exponential it is Softplus; else it is x·ln(u)/(u−1) with u = 1 + x rounded, in
 * which the rounding errors of both parts cancel.
 *
 * @source Kahan's formula: Goldberg, "What every computer scientist should know about floating-point
 * arithmetic", ACM Computing Surveys 1991, theorem 4.
 */
function log1p(c: LoweredCall): string {
  const { graph, lowering } = c;
  const exponential = lowering.madeBy(c.id(0), "Exp");
  if (exponential) return graph.op("Softplus", [exponential.input(0)]);
  const x = c.input(0);
  const u = graph.op("Add", [x, lowering.float(1)]);
  const rounded = graph.op("Sub", [u, lowering.float(1)]);
  const quotient = graph.op("Div", [graph.op("Log", [u]), rounded]);
  const tiny = graph.op("Equal", [rounded, lowering.float(0)]);
  return graph.op("Where", [tiny, x, graph.op("Mul", [x, quotient])]);
}

/**
 * ONNX Runtime's own Sigmoid errs by 6e-8 whatever the result, so a rare event's probability of 1e-5 would
 * be off by half a percent, and below 1e-7 it gives 0, whose logarithm spoils a loss.
 */
function sigmoid(c: LoweredCall): string {
  const growth = c.graph.op("Exp", [c.graph.op("Neg", [c.input(0)])]);
  return c.graph.op("Reciprocal", [c.graph.op("Add", [growth, c.lowering.float(1)])]);
}

function mapValues<V, R>(from: Readonly<Record<string, V>>, f: (value: V) => R): Record<string, R> {
  return Object.fromEntries(Object.entries(from).map(([key, value]) => [key, f(value)]));
}
