import { BOOL, INT32 } from "./graph.ts";
import type { LoweredCall, Rule } from "./lowering.ts";

/** Kernels that reduce along axes. */
export const reductionRules: Readonly<Record<string, Rule>> = {
  Sum: (c) => reduce(c, "ReduceSum"),
  Mean: (c) => reduce(c, "ReduceMean"),
  Max: (c) => reduce(c, "ReduceMax", "reductionIndices"),
  Min: (c) => reduce(c, "ReduceMin"),
  Prod: (c) => reduce(c, "ReduceProd"),
  All: (c) => reduceFlags(c, "ReduceMin"),
  Any: (c) => reduceFlags(c, "ReduceMax"),
  ArgMax: (c) => argument(c, "ArgMax"),
  ArgMin: (c) => argument(c, "ArgMin"),
  TopK: (c, k) => {
    const count = c.lowering.ints([c.number("k")]);
    const attrs = { sorted: +c.flag("sorted") };
    const name = c.graph.opWithTwo("TopK", [c.input(0), count], attrs, k);
    return k === 0 ? name : c.graph.op("Cast", [name], { to: INT32 });
  },
  Softmax: (c) => c.graph.op("Softmax", [c.input(0)], { axis: c.axis("dim", c.shape(0).length) }),
  LogSoftmax: (c) =>
    c.graph.op("LogSoftmax", [c.input(0)], { axis: c.axis("axis", c.shape(0).length) }),
  Cumsum: (c) => {
    const axis = c.lowering.ints([c.axis("axis", c.shape(0).length)]);
    const attrs = { exclusive: +c.flag("exclusive"), reverse: +c.flag("reverse") };
    return c.graph.op("CumSum", [c.input(0), axis], attrs);
  },
};

/** ONNX compares whole numbers, not flags. */
function reduceFlags(c: LoweredCall, op: string): string {
  const whole = c.graph.op("Cast", [c.input(0)], { to: INT32 });
  return c.graph.op("Cast", [reduce(c, op, "axis", whole)], { to: BOOL });
}

function argument(c: LoweredCall, op: string): string {
  const axis = c.axis("axis", c.shape(0).length);
  const place = c.graph.op(op, [c.input(0)], { axis, keepdims: 0 });
  return c.graph.op("Cast", [place], { to: INT32 });
}

/** No axis named means all of them; a scalar has none. */
function reduce(c: LoweredCall, op: string, axisName = "axis", x = c.input(0)): string {
  const rank = c.shape(0).length;
  const named = c.attr(axisName);
  const list = typeof named === "number" ? [named] : Array.isArray(named) ? named : undefined;
  const axes = list?.map((axis: number) => (axis + rank) % rank) ?? c.shape(0).map((_, i) => i);
  if (axes.length === 0) return x;
  return c.graph.op(op, [x, c.lowering.ints(axes)], { keepdims: +c.flag("keepDims") });
}
