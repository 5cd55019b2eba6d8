import { sameShape } from "../recording/dim.ts";
import {
  biasedProduct,
  broadcastOperands,
  joinedSlices,
  reluOf,
  specialProduct,
} from "../recording/patterns.ts";
import { elementTypes, type LoweredCall, type Rule } from "./lowering.ts";

/** TensorFlow.js kernel → ONNX operator, where they mean the same. */
const unary = {
  Abs: "Abs",
  Acos: "Acos",
  Acosh: "Acosh",
  Asin: "Asin",
  Asinh: "Asinh",
  Atan: "Atan",
  Atanh: "Atanh",
  Ceil: "Ceil",
  Cos: "Cos",
  Cosh: "Cosh",
  Elu: "Elu",
  Erf: "Erf",
  Exp: "Exp",
  Floor: "Floor",
  IsInf: "IsInf",
  IsNan: "IsNaN",
  Log: "Log",
  LogicalNot: "Not",
  Neg: "Neg",
  Reciprocal: "Reciprocal",
  Relu: "Relu",
  Round: "Round",
  Selu: "Selu",
  Sign: "Sign",
  Sin: "Sin",
  Sinh: "Sinh",
  Softplus: "Softplus",
  Sqrt: "Sqrt",
  Tan: "Tan",
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
  Add: (c) => gemmWithBias(c) ?? slicesJoined(c) ?? broadcasting(c, "Add"),
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
  Prelu: (c) => {
    const [x, alpha] = [c.input("x"), c.input("alpha")];
    const negative = c.graph.op("Less", [x, c.lowering.float(0)]);
    return c.graph.op("Where", [negative, c.graph.op("Mul", [x, alpha]), x]);
  },
  EluGrad: (c) => {
    const [dy, y] = [c.input("dy"), c.input("y")];
    const positive = c.graph.op("GreaterOrEqual", [y, c.lowering.float(0)]);
    const slope = c.graph.op("Add", [y, c.lowering.float(1)]);
    return c.graph.op("Where", [positive, dy, c.graph.op("Mul", [dy, slope])]);
  },
  FloorDiv: (c) => {
    const [x, y] = c.ids.map((id) => c.lowering.asFloat(id)) as [string, string];
    const quotient = c.graph.op("Floor", [c.graph.op("Div", [x, y])]);
    return c.graph.op("Cast", [quotient], { to: elementTypes[c.output().dtype] });
  },
  Mod: (c) => {
    // ONNX's remainder has the sign of the dividend, TensorFlow.js's that of the divisor.
    const fmod = (x: string, y: string): string => c.graph.op("Mod", [x, y], { fmod: 1 });
    const [x, y] = [c.input(0), c.input(1)];
    return fmod(c.graph.op("Add", [fmod(x, y), y]), y);
  },
  IsFinite: (c) => {
    const x = [c.input(0)];
    return c.graph.op("Not", [c.graph.op("Or", [c.graph.op("IsInf", x), c.graph.op("IsNaN", x)])]);
  },
  Expm1: expm1,
  Relu6: (c) => clip(c, 0, 6),
  ClipByValue: (c) => clip(c, c.number("clipValueMin"), c.number("clipValueMax")),
  Log1p: log1p,
  Sigmoid: sigmoid,
  Step: (c) => {
    const { lowering } = c;
    const x = lowering.name(reluOf(c, c.id(0)));
    const positive = c.graph.op("Greater", [x, lowering.float(0)]);
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

function broadcasting(c: LoweredCall, op: string): string {
  return c.graph.op(op, broadcastOperands(c));
}

function multiply(c: LoweredCall): string {
  const { graph, lowering } = c;
  const special = specialProduct(c);
  if (special === undefined) return broadcasting(c, "Mul");
  const { shape } = lowering.value(special.x);
  const out = c.output().shape;
  if (special.kind === "spread") {
    const x = lowering.name(special.x);
    return sameShape(shape, out) ? x : graph.op("Expand", [x, lowering.dims(out)]);
  }
  const positive = graph.op("Greater", [lowering.name(special.positive), lowering.float(0)]);
  return graph.op("Where", [positive, lowering.name(special.x), lowering.float(0)]);
}

function slicesJoined(c: LoweredCall): string | undefined {
  const joined = joinedSlices(c);
  if (joined === undefined) return undefined;
  const parts = joined.parts.map((id) => c.lowering.name(id));
  return c.graph.op("Concat", parts, { axis: joined.axis });
}

/** A matrix product whose only reader adds a bias vector is one Gemm. */
function gemmWithBias(c: LoweredCall): string | undefined {
  const product = biasedProduct(c);
  if (product === undefined) return undefined;
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
 * ONNX has no e^x − 1. It is (u − 1) x / ln(u) with u = e^x rounded, in which rounding errors cancel as in `log1p`.
 *
 * @source Kahan; Higham, "Accuracy and Stability of Numerical Algorithms", 2nd edition, section 1.14.1.
 */
function expm1(c: LoweredCall): string {
  const { graph, lowering } = c;
  const x = c.input(0);
  const u = graph.op("Exp", [x]);
  const rounded = graph.op("Sub", [u, lowering.float(1)]);
  const scaled = graph.op("Mul", [rounded, graph.op("Div", [x, graph.op("Log", [u])])]);
  const tiny = graph.op("Equal", [rounded, lowering.float(0)]);
  // Where e^x is 0 or infinite, the quotient is not.
  const large = graph.op("Greater", [graph.op("Abs", [x]), lowering.float(40)]);
  return graph.op("Where", [tiny, x, graph.op("Where", [large, rounded, scaled])]);
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
