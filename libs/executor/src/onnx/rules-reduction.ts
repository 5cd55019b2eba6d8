import type { LoweredCall, Rule } from "./lowering.ts";

/** Kernels that reduce along axes. */
export const reductionRules: Readonly<Record<string, Rule>> = {
  Sum: (c) => reduce(c, "ReduceSum"),
  Mean: (c) => reduce(c, "ReduceMean"),
  Max: (c) => reduce(c, "ReduceMax", "reductionIndices"),
  Min: (c) => reduce(c, "ReduceMin"),
  Prod: (c) => reduce(c, "ReduceProd"),
  Softmax: (c) => c.graph.op("Softmax", [c.input(0)], { axis: c.axis("dim", c.shape(0).length) }),
  LogSoftmax: (c) =>
    c.graph.op("LogSoftmax", [c.input(0)], { axis: c.axis("axis", c.shape(0).length) }),
  Cumsum: (c) => {
    const axis = c.lowering.ints([c.axis("axis", c.shape(0).length)]);
    const attrs = { exclusive: +c.flag("exclusive"), reverse: +c.flag("reverse") };
    return c.graph.op("CumSum", [c.input(0), axis], attrs);
  },
};

/** No axis named means all of them; a scalar has none. */
function reduce(c: LoweredCall, op: string, axisName = "axis"): string {
  const rank = c.shape(0).length;
  const named = c.attr(axisName);
  const list = typeof named === "number" ? [named] : Array.isArray(named) ? named : undefined;
  const axes = list?.map((axis: number) => (axis + rank) % rank) ?? c.shape(0).map((_, i) => i);
  if (axes.length === 0) return c.input(0);
  return c.graph.op(op, [c.input(0), c.lowering.ints(axes)], { keepdims: +c.flag("keepDims") });
}
