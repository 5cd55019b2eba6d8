import { sameShape } from "../recording/dim.ts";
import {
  biasedProduct,
  broadcastOperands,
  joinedSlices,
  reluOf,
  specialProduct,
} from "../recording/patterns.ts";
import type { LoweredCall, Rule } from "./lowering.ts";

/** Kernels that TensorFlow has by the same name: TensorFlow.js was modelled on it. */
const unary = [
  ...["Abs", "Acos", "Asin", "Atan", "Ceil", "Cos", "Elu", "Erf", "Exp", "Floor", "IsNan", "Log"],
  ...["Log1p", "Neg", "Reciprocal", "Relu", "Relu6", "Round", "Rsqrt", "Sigmoid", "Sign", "Sin"],
  ...["Softplus", "Sqrt", "Square", "Tanh", "Acosh", "Asinh", "Atanh", "Cosh", "Expm1", "IsFinite"],
  ...["IsInf", "Selu", "Sinh", "Tan"],
];

/** TensorFlow.js kernel → TensorFlow operation. */
const binary = {
  Equal: "Equal",
  Greater: "Greater",
  GreaterEqual: "GreaterEqual",
  Less: "Less",
  LessEqual: "LessEqual",
  Maximum: "Maximum",
  Minimum: "Minimum",
  Mod: "FloorMod",
  NotEqual: "NotEqual",
  Pow: "Pow",
  RealDiv: "RealDiv",
  SquaredDifference: "SquaredDifference",
  Sub: "Sub",
} as const;

/** Kernels that work on each element by itself. */
export const elementwiseRules: Readonly<Record<string, Rule>> = {
  ...Object.fromEntries(
    unary.map((op): [string, Rule] => [op, (c) => c.lowering.op(op, typeOf(c), [c.input(0)])]),
  ),
  ...Object.fromEntries(
    Object.entries(binary).map(([kernel, op]): [string, Rule] => [
      kernel,
      (c) => broadcasting(c, op),
    ]),
  ),
  Add: (c) => withBias(c) ?? slicesJoined(c) ?? broadcasting(c, "AddV2"),
  AddN: (c) => c.lowering.op("AddN", typeOf(c), inputs(c), { N: { int: c.ids.length } }),
  Multiply: multiply,
  LogicalAnd: (c) => c.graph.op("LogicalAnd", inputs(c)),
  LogicalOr: (c) => c.graph.op("LogicalOr", inputs(c)),
  LogicalNot: (c) => c.graph.op("LogicalNot", inputs(c)),
  // TensorFlow.js counts: its quotient is whole whatever it divides.
  FloorDiv: (c) => c.lowering.cast(broadcasting(c, "FloorDiv"), typeOf(c), c.output().dtype),
  EluGrad: (c) => c.lowering.op("EluGrad", "float32", [c.input("dy"), c.input("y")]),
  Prelu: (c) => {
    const { lowering } = c;
    const [x, alpha] = [c.input("x"), c.input("alpha")];
    const negative = lowering.op("Less", "float32", [x, lowering.float(0)]);
    const slope = lowering.op("Mul", "float32", [x, alpha]);
    return lowering.op("SelectV2", "float32", [negative, slope, x]);
  },
  LeakyRelu: (c) =>
    c.lowering.op("LeakyRelu", typeOf(c), [c.input(0)], { alpha: { float: c.number("alpha") } }),
  ClipByValue: (c) => {
    const bounds = [c.number("clipValueMin"), c.number("clipValueMax")];
    const names = bounds.map((bound) => c.lowering.scalar(bound, typeOf(c)));
    return c.lowering.op("ClipByValue", typeOf(c), [c.input(0), ...names]);
  },
  Step: (c) => {
    const { lowering } = c;
    const x = lowering.name(reluOf(c, c.id(0)));
    const positive = lowering.op("Greater", "float32", [x, lowering.float(0)]);
    const sides = [lowering.float(1), lowering.float(c.number("alpha"))];
    return lowering.op("SelectV2", "float32", [positive, ...sides]);
  },
  Cast: (c) => c.lowering.cast(c.input(0), typeOf(c), c.output().dtype),
  Identity: (c) => c.input(0),
  Select: (c) => c.lowering.op("SelectV2", c.output().dtype, inputs(c)),
};

function typeOf(c: LoweredCall): "float32" | "int32" | "bool" {
  return c.lowering.value(c.id(0)).dtype;
}

function inputs(c: LoweredCall): string[] {
  return c.ids.map((id) => c.lowering.name(id));
}

function broadcasting(c: LoweredCall, op: string): string {
  return c.lowering.op(op, typeOf(c), broadcastOperands(c));
}

function multiply(c: LoweredCall): string {
  const { lowering } = c;
  const special = specialProduct(c);
  if (special === undefined) return broadcasting(c, "Mul");
  const { dtype, shape } = lowering.value(special.x);
  const x = lowering.name(special.x);
  if (special.kind === "mask") {
    return lowering.op("ReluGrad", "float32", [x, lowering.name(special.positive)]);
  }
  const out = c.output().shape;
  if (sameShape(shape, out)) return x;
  return lowering.op("BroadcastTo", dtype, [x, lowering.dims(out)], { Tidx: { type: "int32" } });
}

function slicesJoined(c: LoweredCall): string | undefined {
  const joined = joinedSlices(c);
  if (joined === undefined) return undefined;
  const { lowering } = c;
  const parts = joined.parts.map((id) => lowering.name(id));
  const attrs = { N: { int: parts.length }, Tidx: { type: "int32" } } as const;
  return lowering.op("ConcatV2", typeOf(c), [...parts, lowering.int(joined.axis)], attrs);
}

/** TensorFlow fuses a product, its BiasAdd and an activation into one kernel. */
function withBias(c: LoweredCall): string | undefined {
  const product = biasedProduct(c);
  if (product === undefined) return undefined;
  return c.lowering.op("BiasAdd", "float32", [c.input(0), c.input(1)]);
}
