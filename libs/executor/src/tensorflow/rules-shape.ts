import { addDims, type Dim, isFixed, sameShape } from "../recording/dim.ts";
import type { AttrValue, ElementType } from "./graph.ts";
import type { LoweredCall, Rule } from "./lowering.ts";

const INT: AttrValue = { type: "int32" };

/** Kernels that move elements and compute none. */
export const shapeRules: Readonly<Record<string, Rule>> = {
  Reshape: reshape,
  ExpandDims: reshape,
  Transpose: (c) =>
    op(c, "Transpose", [c.input(0), c.lowering.dims(c.sizes("perm"))], { Tperm: INT }),
  Concat: (c) => {
    const axis = c.lowering.int(c.axis("axis", c.output().shape.length));
    const attrs = { N: { int: c.ids.length }, Tidx: INT };
    return op(c, "ConcatV2", [...inputs(c), axis], attrs);
  },
  Slice: (c) => {
    // Axes that it does not name begin at 0.
    const begin = c.sizes("begin");
    const to = c.output().shape;
    return slice(
      c,
      to.map((_, i) => begin[i] ?? 0),
      to,
    );
  },
  SplitV: (c, k) => {
    const axis = c.axis("axis", c.shape(0).length);
    const sizes = c.call.outputs.map((_, i) => c.output(i).shape[axis] ?? 0);
    const start = sizes.slice(0, k).reduce<Dim>(addDims, 0);
    const begin = c.shape(0).map((_, i) => (i === axis ? start : 0));
    return slice(c, begin, c.output(k).shape);
  },
  Pack: (c) => {
    const axis = c.axis("axis", c.output().shape.length);
    return op(c, "Pack", inputs(c), { N: { int: c.ids.length }, axis: { int: axis } });
  },
  Unpack: (c, k) => {
    const axis = c.axis("axis", c.shape(0).length);
    const attrs = { num: { int: c.call.outputs.length }, axis: { int: axis } };
    const name = op(c, "Unpack", [c.input(0)], attrs);
    return k === 0 ? name : `${name}:${k}`;
  },
  PadV2: pad,
  GatherV2: (c) => {
    const axis = c.lowering.int(c.axis("axis", c.shape("x").length));
    return c.graph.op("GatherV2", [c.input("x"), c.input("indices"), axis], {
      Tparams: { type: typeOf(c) },
      Tindices: { type: c.lowering.value(c.id("indices")).dtype },
      Taxis: INT,
      batch_dims: { int: c.number("batchDims") },
    });
  },
  GatherNd: (c) => {
    const attrs = { Tparams: { type: c.output().dtype }, Tindices: INT };
    return c.graph.op("GatherNd", [c.input("params"), c.input("indices")], attrs);
  },
  OneHot: (c) => {
    const { dtype } = c.output();
    const sides = [c.number("onValue"), c.number("offValue")].map((side) =>
      c.lowering.scalar(side, dtype),
    );
    const operands = [c.input("indices"), c.lowering.int(c.number("depth")), ...sides];
    return c.lowering.op("OneHot", dtype, operands, { axis: { int: -1 }, TI: INT });
  },
  Reverse: (c) =>
    op(c, "ReverseV2", [c.input(0), c.lowering.ints(c.reversedAxes())], { Tidx: INT }),
  StridedSlice: (c) => {
    const { strides } = c.strided(0);
    const bounds = [c.lowering.dims(c.sizes("begin")), c.lowering.dims(c.sizes("end"))];
    const masks = {
      begin_mask: { int: c.number("beginMask") },
      end_mask: { int: c.number("endMask") },
      shrink_axis_mask: { int: c.number("shrinkAxisMask") },
    };
    const operands = [c.input(0), ...bounds, c.lowering.ints(strides)];
    return op(c, "StridedSlice", operands, { Index: INT, ...masks });
  },
  UnsortedSegmentSum: (c) => {
    const count = c.lowering.dim(c.output().shape[0] ?? 0);
    const attrs = { Tindices: INT, Tnumsegments: INT };
    return op(c, "UnsortedSegmentSum", [c.input(0), c.input(1), count], attrs);
  },
  Tile: (c) => op(c, "Tile", [c.input(0), c.lowering.dims(c.sizes("reps"))], { Tmultiples: INT }),
  BroadcastTo: (c) =>
    op(c, "BroadcastTo", [c.input(0), c.lowering.dims(c.output().shape)], { Tidx: INT }),
  Fill: (c) => filled(c, c.number("value")),
  ZerosLike: (c) => filled(c, 0),
  OnesLike: (c) => filled(c, 1),
};

function op(
  c: LoweredCall,
  type: string,
  operands: readonly string[],
  attrs: Readonly<Record<string, AttrValue>>,
): string {
  return c.lowering.op(type, typeOf(c), operands, attrs);
}

function typeOf(c: LoweredCall): ElementType {
  return c.lowering.value(c.id(0)).dtype;
}

function inputs(c: LoweredCall): string[] {
  return c.ids.map((id) => c.lowering.name(id));
}

/** One open size is written -1, so that the graph needs not compute it. */
function reshape(c: LoweredCall): string {
  const to = c.output().shape;
  if (sameShape(c.shape(0), to)) return c.input(0);
  const simple = to.filter((dim) => !isFixed(dim)).length <= 1 && !to.includes(0);
  const shape = simple
    ? c.lowering.ints(to.map((dim) => (isFixed(dim) ? dim : -1)))
    : c.lowering.dims(to);
  return op(c, "Reshape", [c.input(0), shape], { Tshape: INT });
}

function slice(c: LoweredCall, begin: readonly Dim[], size: readonly Dim[]): string {
  const bounds = [c.lowering.dims(begin), c.lowering.dims(size)];
  return op(c, "Slice", [c.input(0), ...bounds], { Index: INT });
}

/** Both list [before, after] by axis. */
function pad(c: LoweredCall): string {
  const { lowering } = c;
  const flat = lowering.dims(c.sizes("paddings"));
  const pairs = lowering.op("Reshape", "int32", [flat, lowering.ints([-1, 2])], { Tshape: INT });
  const value = lowering.scalar(c.number("constantValue"), c.output().dtype);
  return op(c, "PadV2", [c.input(0), pairs, value], { Tpaddings: INT });
}

function filled(c: LoweredCall, value: number): string {
  const { dtype, shape } = c.output();
  return c.lowering.filled(c.lowering.scalar(value, dtype), dtype, shape);
}
