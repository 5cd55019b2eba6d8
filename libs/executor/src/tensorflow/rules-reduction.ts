import { refuse } from "../recording/not-recordable.ts";
import type { AttrValue } from "./graph.ts";
import type { LoweredCall, Rule } from "./lowering.ts";

const INDEX: Readonly<Record<string, AttrValue>> = { Tidx: { type: "int32" } };

/** Kernels that reduce along axes. */
export const reductionRules: Readonly<Record<string, Rule>> = {
  Sum: (c) => reduce(c, "Sum"),
  Mean: (c) => reduce(c, "Mean"),
  Max: (c) => reduce(c, "Max", "reductionIndices"),
  Min: (c) => reduce(c, "Min"),
  Prod: (c) => reduce(c, "Prod"),
  All: (c) => reduce(c, "All"),
  Any: (c) => reduce(c, "Any"),
  ArgMax: (c) => argument(c, "ArgMax"),
  ArgMin: (c) => argument(c, "ArgMin"),
  TopK: (c, k) => {
    const attrs = { sorted: { flag: c.flag("sorted") }, Tk: { type: "int32" } } as const;
    const name = c.lowering.op(
      "TopKV2",
      typeOf(c),
      [c.input(0), c.lowering.int(c.number("k"))],
      attrs,
    );
    return k === 0 ? name : `${name}:1`;
  },
  Softmax: (c) => byRow(c, "Softmax", "dim"),
  LogSoftmax: (c) => byRow(c, "LogSoftmax", "axis"),
  Cumsum: (c) => {
    const axis = c.lowering.int(c.axis("axis", c.shape(0).length));
    const attrs = {
      exclusive: { flag: c.flag("exclusive") },
      reverse: { flag: c.flag("reverse") },
    };
    return c.lowering.op("Cumsum", typeOf(c), [c.input(0), axis], { ...attrs, ...INDEX });
  },
};

function argument(c: LoweredCall, op: string): string {
  const axis = c.lowering.int(c.axis("axis", c.shape(0).length));
  const attrs = { output_type: { type: "int32" }, ...INDEX } as const;
  return c.lowering.op(op, typeOf(c), [c.input(0), axis], attrs);
}

/** No axis named means all of them; a scalar has none. */
function reduce(c: LoweredCall, op: string, axisName = "axis"): string {
  const rank = c.shape(0).length;
  const named = c.attr(axisName);
  const list = typeof named === "number" ? [named] : Array.isArray(named) ? named : undefined;
  const axes = list?.map((axis: number) => (axis + rank) % rank) ?? c.shape(0).map((_, i) => i);
  if (axes.length === 0) return c.input(0);
  const attrs = { keep_dims: { flag: c.flag("keepDims") }, ...INDEX };
  const operands = [c.input(0), c.lowering.ints(axes)];
  // Those of flags have no type to choose.
  return typeOf(c) === "bool"
    ? c.graph.op(op, operands, attrs)
    : c.lowering.op(op, typeOf(c), operands, attrs);
}

/** TensorFlow's softmax works along the last axis, as TensorFlow.js's does. */
function byRow(c: LoweredCall, op: string, axisName: string): string {
  const rank = c.shape(0).length;
  if (c.axis(axisName, rank) !== rank - 1) refuse(`${op} along an inner axis has no lowering`);
  return c.lowering.op(op, "float32", [c.input(0)]);
}

function typeOf(c: LoweredCall): "float32" | "int32" | "bool" {
  return c.lowering.value(c.id(0)).dtype;
}
